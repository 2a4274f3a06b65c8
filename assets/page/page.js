// The page's own script: what Gradio's components do not do by themselves.
window.smile = (() => {
  const find = (selector) => document.querySelector(selector);

  // Ctrl+Enter (Cmd+Enter) presses Explain, Compare or Run study, wherever the focus is.
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    const seen = (button) => button && button.offsetParent !== null;
    const button = ['#explain', '#compare', '#evaluate'].map(find).find(seen);
    if (!button) return;
    event.preventDefault();
    // A number, or an editor that was typed, reaches the server when its box loses the focus.
    const focused = document.activeElement;
    if (focused && focused.matches('input[type=number], #editor input')) focused.blur();
    setTimeout(() => button.click(), 60);
  }, true);

  // The before/after slider.
  document.addEventListener('input', (event) => {
    if (event.target.matches('.pair input[type=range]')) {
      event.target.parentElement.style.setProperty('--at', event.target.value + '%');
    }
  });

  // A picture of the gallery in full size.
  document.addEventListener('click', (event) => {
    const zoom = event.target.closest('.zoom');
    if (!zoom) return;
    const box = find('#full-size') || makeFullSize();
    const prompt = zoom.parentElement.querySelector('.prompt');
    box.querySelector('img').src = zoom.querySelector('img').src;
    box.querySelector('img').alt = zoom.getAttribute('aria-label');
    box.querySelector('p').replaceChildren(...prompt.cloneNode(true).childNodes);
    box.showModal();
  });

  function makeFullSize() {
    const box = document.createElement('dialog');
    box.id = 'full-size';
    box.innerHTML = '<form method="dialog"><button aria-label="Close">×</button></form><img><p dir="auto"></p>';
    box.addEventListener('click', (event) => {
      if (event.target === box) box.close();
    });
    document.querySelector('.gradio-container').append(box);
    return box;
  }

  // A run has begun: its settings go into the address, and a phone scrolls to the result.
  function begin(query, button = '#explain', result = '#result') {
    const disabled = find(button).disabled;
    if (!query || !disabled) return;
    setAddress(query);
    if (window.innerWidth < 900) find(result).scrollIntoView({ behavior: 'smooth' });
  }

  // The order of the gallery is the browser's own, so it outlives the updates of a run.
  function gallery(element, watch) {
    const select = element.querySelector('select');
    const sort = () => {
      const falling = select.value.startsWith('-');
      const key = select.value.replace('-', '');
      const edits = [...element.querySelectorAll('.edit:not(.reference)')];
      const place = (edit) => {
        const value = parseFloat(edit.dataset[key]);
        return Number.isNaN(value) ? Infinity : falling ? -value : value;
      };
      edits.sort((a, b) => place(a) - place(b)).forEach((edit, index) => { edit.style.order = index; });
    };
    select.addEventListener('change', sort);
    watch('value', sort);
  }

  // Files dropped or pasted anywhere: photos, heatmap PNGs and explanations take the same way.
  function takeFiles(upload, trigger) {
    const send = async (file) => {
      try {
        const { path } = await upload(file);
        trigger('upload', { path, name: file.name });
      } catch {
        trigger('upload', { path: '', name: file.name });
      }
    };
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
    document.addEventListener('dragover', (event) => {
      if (hasFiles(event)) event.preventDefault();
    }, true);
    document.addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      send(event.dataTransfer.files[0]);
    }, true);
    document.addEventListener('paste', (event) => {
      const file = event.clipboardData?.files[0];
      if (!file) return;
      event.preventDefault();
      send(file);
    }, true);
  }

  // Keep the settings in the address, so that the address can be copied.
  function setAddress(query) {
    const own = new URLSearchParams(query);
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (name.startsWith('__')) own.set(name, value);
    }
    history.replaceState(null, '', location.pathname + '?' + own);
  }

  // A plotly figure in the colours of the page, redrawn in place.
  function chart(element, props, watch) {
    const target = element.querySelector('.chart');
    const note = element.querySelector('.nothing');
    const waiting = note?.textContent;
    const color = (name) => getComputedStyle(element).getPropertyValue(name).trim();

    // What is drawn out of sight has no size, and its texts end up on one another.
    const isHidden = () => element.offsetParent === null;
    let isDue = false;

    function draw() {
      isDue = isHidden();
      if (isDue) return;
      const { figure, thumbnails, message } = props.value ? JSON.parse(props.value) : {};
      if (!figure) {
        if (target.data) Plotly.purge(target);
        target.classList.add('empty');
        element.querySelector('.thumb')?.remove();  // which would part the note from the chart
        if (note) note.textContent = message ?? waiting;
        return;
      }
      target.classList.remove('empty');
      const height = Math.max(figure.layout.height, 380);
      const layout = { ...figure.layout, autosize: true, height };
      layout.font = { ...layout.font, family: getComputedStyle(element).fontFamily, color: color('--ink') };
      layout.paper_bgcolor = layout.plot_bgcolor = 'rgba(0,0,0,0)';
      layout.hoverlabel = {
        ...layout.hoverlabel,
        bgcolor: color('--panel'),
        bordercolor: color('--line'),
        font: { family: layout.font.family, color: color('--ink') },
      };
      delete layout.width;
      for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
        const axis = layout[name];
        layout[name] = { ...axis, gridcolor: color('--line'), zerolinecolor: color('--quiet'), linecolor: color('--line') };
        if (axis.title) layout[name].title = { ...axis.title, font: { size: layout.font.size } };
      }
      for (const { marker } of figure.data) {  // the menu above says what the colours mean
        if (marker?.colorbar) marker.colorbar.title.text = '';
      }
      Plotly.react(target, figure.data, layout, { displayModeBar: false, responsive: true });
      showThumbnails(thumbnails);
    }

    function showThumbnails(thumbnails) {
      target.removeAllListeners?.('plotly_hover');
      target.removeAllListeners?.('plotly_unhover');
      element.querySelector('.thumb')?.remove();
      if (!thumbnails.length) return;
      const picture = document.createElement('img');
      picture.className = 'thumb';
      picture.alt = '';
      target.after(picture);
      target.on('plotly_hover', ({ points, event }) => {
        const data = points[0].customdata;
        const url = thumbnails[Array.isArray(data) ? data[0] : data];
        if (!url) return;
        const frame = target.getBoundingClientRect();
        const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
        picture.src = url;
        picture.style.left = (x > frame.width / 2 ? x - 150 : x + 22) + 'px';
        // Plotly's label is as high as the point: keep clear of it.
        picture.style.top = (y > 150 ? y - 130 : y + 44) + 'px';
        picture.classList.add('shown');
      });
      target.on('plotly_unhover', () => picture.classList.remove('shown'));
    }

    draw();
    watch('value', draw);
    new ResizeObserver(() => {
      if (isHidden()) return;
      if (isDue) draw();
      else if (target.data) Plotly.Plots.resize(target);
    }).observe(element);
    new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }

  // Any number of figures below each other. One that stays keeps its place and its zoom.
  function charts(element, props, watch) {
    const box = element.querySelector('.charts');
    const drawn = new Map();  // by title

    function make(title) {
      const frame = document.createElement('figure');
      frame.innerHTML = '<h3></h3><div class="chart empty" role="img"></div><p class="hint"></p>';
      frame.querySelector('h3').textContent = title;
      frame.querySelector('.chart').setAttribute('aria-label', title);
      return { frame, props: {}, draw: null };
    }

    function draw() {
      const list = props.value ? JSON.parse(props.value) : [];
      const titles = new Set(list.map(({ title }) => title));
      for (const [title, { frame }] of drawn) {
        if (titles.has(title)) continue;
        frame.remove();
        drawn.delete(title);
      }
      list.forEach(({ title, hint, figure }, place) => {
        if (!drawn.has(title)) drawn.set(title, make(title));
        const one = drawn.get(title);
        one.frame.querySelector('.hint').textContent = hint;
        if (box.children[place] !== one.frame) box.insertBefore(one.frame, box.children[place] ?? null);
        one.props.value = JSON.stringify({ figure, thumbnails: [] });
        if (one.draw) one.draw();
        else chart(one.frame, one.props, (_, redraw) => { one.draw = redraw; });
      });
      element.classList.toggle('filled', list.length > 0);
    }

    draw();
    watch('value', draw);
  }

  return { begin, chart, charts, gallery, takeFiles };
})();
