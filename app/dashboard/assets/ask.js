// Orders are asked for in a dialogue; without this module the same form is a page of its own.
export function askInDialogue(dialogue) {
  if (!dialogue) return;
  let opener = null;
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-ask]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    opener = link.closest("details.menu")?.querySelector("summary") ?? link;
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    const answer = await fetch(link.href, { headers: { "x-part": "1" } }).catch(() => null);
    if (!answer?.ok) {
      location.assign(link.href);
      return;
    }
    const part = document.createElement("template");
    part.innerHTML = await answer.text();
    dialogue.replaceChildren(part.content);
    dialogue.showModal();
    dialogue.querySelector("input:not([type=hidden]), select, button")?.focus();
  });
  dialogue.addEventListener("click", (event) => {
    if (event.target === dialogue || event.target.closest("[data-cancel]")) {
      event.preventDefault();
      dialogue.close();
    }
  });
  dialogue.addEventListener("close", () => opener?.focus());
}
