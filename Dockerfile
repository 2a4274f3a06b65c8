# The page on a CPU, for self-hosting. A Hugging Face Space runs from the README's front matter.
# SMILE_PUBLIC: whoever reaches the port gets the listed editors only, and none of the owner's keys;
# for yourself alone: docker run -e SMILE_PUBLIC=0 -p 127.0.0.1:7860:7860 smile
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 smile
USER smile
WORKDIR /home/smile/app
ENV PATH=/home/smile/.local/bin:$PATH \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    SMILE_CACHE_DIR=/home/smile/cache \
    SMILE_PUBLIC=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2

# The CPU build of torch first: the plain Linux wheel brings several GB of CUDA.
RUN pip install --no-cache-dir --user "torch>=2.8,<2.14" \
    --index-url https://download.pytorch.org/whl/cpu
COPY --chown=1000 requirements.txt .
RUN pip install --no-cache-dir --user -r requirements.txt
COPY --chown=1000 . .

EXPOSE 7860
CMD ["python", "app.py"]
