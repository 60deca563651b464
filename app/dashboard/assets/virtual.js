// Virtual time on a page of a rehearsal: what lies ahead of it is veiled, and what each run did at that
// moment is said beneath it. Without this module the whole of each run is shown.
const LASTS_MS = 8000;

// Where somebody is in each place, and whether time goes by itself there. A part that is drawn anew keeps its
// elements, and what listens to them; what was read out of it, and its veils, it does not.
const known = new WeakMap();

export function playVirtual() {
  prepare();
  // A part that was drawn anew has its times and its player anew, too.
  document.addEventListener("patched", (event) => event.target.dataset.part === "pictures" && prepare());
}

function prepare() {
  for (const place of document.querySelectorAll("[data-virtual]")) {
    for (const hour of place.querySelectorAll("[data-at]")) hour.style.left = `${hour.dataset.at}%`;
    const player = place.querySelector(".player");
    player.hidden = false;
    const [button, range] = [player.querySelector("[data-play]"), player.querySelector("input")];
    if (!known.has(place)) {
      known.set(place, { at: null, plays: false });
      range.addEventListener("input", () => show(place, range.valueAsNumber));
      button.addEventListener("click", () => play(place, button, range));
    }
    const { at, plays } = known.get(place);
    if (at !== null) show(place, at);
    name(button, plays);
  }
}

function name(button, plays) {
  button.textContent = plays ? "Pause" : "Play";
}

function show(place, at) {
  known.get(place).at = at;
  for (const run of place.querySelectorAll(".run")) {
    const ends = run.dataset.ends.split(" ").map(Number);
    const columns = run.dataset.columns.split("|");
    for (const veil of run.querySelectorAll(".ahead")) {
      veil.setAttribute("x", at);
      veil.setAttribute("width", Math.max(0, 1000 - at));
    }
    const column = ends.findIndex((end) => end >= at);
    run.querySelector(".readout").textContent = column < 0 ? `over: ${columns.at(-1)}` : columns[column];
  }
  place.querySelector("input").setAttribute("aria-valuetext", place.querySelector(".readout").textContent);
}

function play(place, button, range) {
  const here = known.get(place);
  here.plays = !here.plays;
  name(button, here.plays);
  if (!here.plays) return;
  const from = range.valueAsNumber >= 1000 ? 0 : range.valueAsNumber;
  const began = performance.now();
  const step = (now) => {
    if (!here.plays || !place.isConnected) return;
    const at = Math.min(1000, from + ((now - began) / LASTS_MS) * 1000);
    range.value = at;
    show(place, at);
    if (at < 1000) requestAnimationFrame(step);
    else play(place, button, range);
  };
  requestAnimationFrame(step);
}
