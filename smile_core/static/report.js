// The three conveniences of the report: the slider, the order of the edits, the colours of the map.
"use strict";

for (const box of document.querySelectorAll(".before-after")) {
  const slider = box.querySelector("input");
  slider?.addEventListener("input", () => box.style.setProperty("--cut", slider.value + "%"));
}

const gallery = document.getElementById("gallery"); // a comparison has none
document.getElementById("sort")?.addEventListener("change", (event) => {
  const key = event.target.value.replace("-", "");
  const sign = event.target.value.startsWith("-") ? -1 : 1;
  const rank = (figure) => (key in figure.dataset ? sign * figure.dataset[key] : Infinity);
  const [reference, ...edits] = [...gallery.children].sort(
    (a, b) => b.classList.contains("reference") - a.classList.contains("reference"),
  );
  edits.sort((a, b) => rank(a) - rank(b) || a.dataset.order - b.dataset.order);
  gallery.replaceChildren(reference, ...edits);
});

const large = document.getElementById("large");
gallery?.addEventListener("click", (event) => {
  const button = event.target.closest(".zoom");
  if (!button) return;
  large.querySelector("img").src = button.querySelector("img").src;
  const caption = button.parentElement.querySelector(".prompt");
  large.querySelector("p").replaceChildren(caption.cloneNode(true));
  large.showModal();
});
large?.addEventListener("click", (event) => {
  if (event.target === large) large.close();
});

document.getElementById("color-by")?.addEventListener("change", (event) => {
  const map = document.getElementById("map");
  map.style.setProperty("--kept", event.target.selectedOptions[0].dataset.color);
  for (const dot of map.querySelectorAll(".dot")) {
    const kept = dot.dataset.mask[event.target.value] === "1";
    dot.classList.toggle("kept", kept);
    dot.classList.toggle("left-out", !kept);
  }
});
