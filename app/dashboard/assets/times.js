// Moments that come nearer are counted down, by the server's clock.
import { span } from "./words.js";

let server = Date.now();
let heard = performance.now();

// What the server's clock says; its time may run faster than ours.
export function heardClock(at) {
  server = at;
  heard = performance.now();
}

export function tickTimes() {
  const body = document.body.dataset.now;
  if (body) heardClock(Date.parse(body));
  const tick = () => {
    const now = server + (performance.now() - heard);
    for (const time of document.querySelectorAll("time[data-ahead]")) {
      const left = Math.max(0, Math.round((Date.parse(time.dateTime) - now) / 1000));
      const says = left === 0 ? "now" : `in ${span(left)}`;
      if (time.textContent !== says) time.textContent = says;
    }
  };
  tick();
  setInterval(tick, 1000);
  document.addEventListener("patched", tick);
}
