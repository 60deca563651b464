// Moving through a plot: by pointer, or by the keys of the range that lies over it. What is read out
// is the row of the table beneath, so that all three say the same. A stretch that is chosen is shown larger;
// a bar leads to its rows in the log.
export function readPlots() {
  for (const plot of document.querySelectorAll("[data-plot]")) read(plot);
}

// Pixels that a hand may tremble while it clicks.
const STILL = 6;

function read(plot) {
  const scrub = plot.querySelector(".scrub");
  const rows = () => plot.querySelectorAll("tbody tr");
  let shown = -1;
  // Where a choice began, while there is one.
  let anchor = -1;
  let pressed = null;

  const bounds = () => [Math.min(anchor, shown), Math.max(anchor, shown)];
  const moment = (row) => row.querySelector("time").dateTime;

  const lines = () => {
    const many = rows().length;
    const cross = plot.querySelector(".cross");
    const x = shown < 0 ? "-1" : `${((shown + 0.5) / many) * 100}%`;
    cross.setAttribute("x1", x);
    cross.setAttribute("x2", x);
    const chosen = plot.querySelector(".chosen");
    const [first, last] = anchor < 0 ? [0, -1] : bounds();
    chosen.setAttribute("x", `${(first / many) * 100}%`);
    chosen.setAttribute("width", `${((last + 1 - first) / many) * 100}%`);
  };

  const words = (row) => {
    const says = (n) => row.children[n].textContent.trim();
    const parts = [`${says(0)} UTC`, `${says(1)} accepted`, `${says(2)} deferred`, `${says(3)} refused`, `${says(4)} of fresh mail deferred`, `limit ${says(5)}`, says(6)];
    return [...parts, says(7), says(8)].filter((part) => part).join(" · ");
  };

  const show = (place) => {
    const row = rows()[place];
    if (!row) return;
    shown = place;
    let text = words(row);
    if (anchor >= 0 && anchor !== shown) {
      const [first, last] = bounds().map((at) => rows()[at]);
      const until = new Date(last.dataset.until).toISOString().slice(11, 16);
      text = `${first.querySelector("time").textContent} to ${until} UTC chosen; Enter shows it larger, Escape lets go`;
    }
    const readout = plot.querySelector(".readout");
    if (readout.textContent !== text) readout.textContent = text;
    scrub.setAttribute("aria-valuetext", text);
    lines();
  };

  const leave = () => {
    anchor = -1;
    if (shown >= 0) show(shown);
  };

  const zoom = () => {
    const [first, last] = bounds().map((at) => rows()[at]);
    const query = new URLSearchParams(location.search);
    query.set("from", moment(first));
    query.set("to", last.dataset.until);
    location.assign(`${plot.dataset.plot}?${query}`);
  };

  // Opens the rows behind a bar.
  const open = (place) => {
    const link = rows()[place]?.querySelector("th a");
    if (link) location.assign(link.href);
  };

  const placeOf = (event) => {
    const box = scrub.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * rows().length);
    return Math.max(0, Math.min(rows().length - 1, place));
  };

  scrub.addEventListener("input", () => show(scrub.valueAsNumber));
  scrub.addEventListener("focus", () => {
    if (!pressed) show(scrub.valueAsNumber);
  });
  scrub.addEventListener("keydown", (event) => {
    const arrow = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (arrow && event.shiftKey) {
      event.preventDefault();
      if (anchor < 0) anchor = scrub.valueAsNumber;
      scrub.valueAsNumber += arrow;
      show(scrub.valueAsNumber);
    } else if (arrow) {
      anchor = -1;
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (anchor >= 0 && anchor !== shown) zoom();
      else open(scrub.valueAsNumber);
    } else if (event.key === "Escape" && anchor >= 0) {
      leave();
    }
  });

  scrub.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    // The range would jump about by itself.
    event.preventDefault();
    scrub.focus();
    scrub.setPointerCapture(event.pointerId);
    const place = placeOf(event);
    pressed = { x: event.clientX, place, wasShown: shown === place };
    anchor = -1;
    scrub.valueAsNumber = place;
    show(place);
  });
  scrub.addEventListener("pointermove", (event) => {
    const place = placeOf(event);
    if (pressed && Math.abs(event.clientX - pressed.x) > STILL) anchor = pressed.place;
    if (pressed) scrub.valueAsNumber = place;
    show(place);
  });
  scrub.addEventListener("pointerup", (event) => {
    if (!pressed) return;
    const { place, wasShown } = pressed;
    pressed = null;
    if (anchor >= 0 && anchor !== shown) zoom();
    // A finger points and clicks at once: it reads first, and opens with the second touch.
    else if (event.pointerType !== "touch" || wasShown) open(place);
  });
  scrub.addEventListener("pointercancel", () => {
    pressed = null;
    leave();
  });
  // A plot that was drawn anew has forgotten where somebody was.
  plot.addEventListener("patched", () => {
    if (shown >= 0) show(Math.min(shown, rows().length - 1));
  });
}
