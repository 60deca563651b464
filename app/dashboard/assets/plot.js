// Moving through a plot: by pointer, or by the keys of the range that lies over it. What is read out
// is the row of the table beneath, so that all three say the same.
export function readPlots() {
  for (const plot of document.querySelectorAll("[data-plot]")) read(plot);
}

function read(plot) {
  const scrub = plot.querySelector(".scrub");
  const rows = () => plot.querySelectorAll("tbody tr");
  const show = (place) => {
    const row = rows()[place];
    if (!row) return;
    const says = (n) => row.children[n].textContent.trim();
    const parts = [`${says(0)} UTC`, `${says(1)} accepted`, `${says(2)} deferred`, `${says(3)} refused`, `limit ${says(4)}`, says(5)];
    if (says(6)) parts.push(says(6));
    const text = parts.join(" · ");
    plot.querySelector(".readout").textContent = text;
    scrub.setAttribute("aria-valuetext", text);
    const x = `${((place + 0.5) / rows().length) * 100}%`;
    const cross = plot.querySelector(".cross");
    cross.setAttribute("x1", x);
    cross.setAttribute("x2", x);
  };
  scrub.addEventListener("input", () => show(scrub.valueAsNumber));
  scrub.addEventListener("focus", () => show(scrub.valueAsNumber));
  scrub.addEventListener("pointermove", (event) => {
    const box = scrub.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * rows().length);
    show(Math.max(0, Math.min(rows().length - 1, place)));
  });
  // A click leads to the rows behind the bar.
  scrub.addEventListener("dblclick", () => {
    const link = rows()[scrub.valueAsNumber]?.querySelector("a");
    if (link) location.assign(link.href.replace(/&kind=[a-z]+$/, ""));
  });
}
