// Keeps a page up to date: the server sends the parts that have changed, and only what is different
// in them is touched, so that focus, open menus and selections stay.
import { heardClock } from "./times.js";

const says = () => document.getElementById("live-says");

function show(text, isLive) {
  const badge = document.getElementById("live");
  if (!badge) return;
  badge.hidden = false;
  badge.classList.toggle("lost", !isLive);
  if (says().textContent !== text) says().textContent = text;
}

export function followLive(address) {
  const source = new EventSource(address);
  source.addEventListener("open", () => show("live", true));
  source.addEventListener("error", () => {
    show("not live: reconnecting", false);
    // Whoever is signed out any more gets no stream: the sign-in says so.
    if (source.readyState === EventSource.CLOSED) location.reload();
  });
  source.addEventListener("parts", (event) => {
    const wanted = JSON.parse(event.data);
    const here = new Set([...document.querySelectorAll("[data-part]")].map((e) => e.dataset.part));
    if (wanted.length !== here.size || wanted.some((part) => !here.has(part))) reload();
  });
  source.addEventListener("patch", (event) => {
    show("live", true);
    const { part, html } = JSON.parse(event.data);
    const old = document.querySelector(`[data-part="${CSS.escape(part)}"]`);
    const parsed = document.createElement("template");
    parsed.innerHTML = html;
    const fresh = parsed.content.firstElementChild;
    if (!old || !fresh || old.isEqualNode(fresh)) return;
    morph(old, fresh);
    old.dispatchEvent(new CustomEvent("patched", { bubbles: true }));
  });
  source.addEventListener("clock", (event) => heardClock(Date.parse(JSON.parse(event.data))));
  source.addEventListener("trouble", (event) => show(JSON.parse(event.data), false));
  addEventListener("pagehide", () => source.close());
}

// The page has other parts now: it is fetched again, and its main part put in place.
let loading = false;
async function reload() {
  if (loading) return;
  // What comes now is another page.
  if (document.querySelector("[data-fresh]")) {
    loading = true;
    location.reload();
    return;
  }
  loading = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [old, fresh] = [document.getElementById("main"), page.getElementById("main")];
    if (answer.ok && fresh) morph(old, fresh);
  } finally {
    loading = false;
  }
}

// Makes an element like another, touching what differs and nothing else.
export function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    const keeps = name === "open" && old.localName === "details";
    if (!keeps && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const [olds, freshes] = [[...old.childNodes], [...fresh.childNodes]];
  freshes.forEach((child, at) => (olds[at] ? morph(olds[at], child) : old.append(child)));
  olds.slice(freshes.length).forEach((child) => child.remove());
}
