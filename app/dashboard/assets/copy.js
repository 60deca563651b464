// What can be copied has a button; without this module it can be marked and copied by hand.
export function offerCopies() {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const says = button.dataset.says ?? button.textContent;
    button.dataset.says = says;
    button.textContent = (await copied(button.dataset.copy)) ? "Copied" : "Mark it and copy it by hand";
    setTimeout(() => (button.textContent = says), 2000);
  });
}

// Plain HTTP from elsewhere has no clipboard: then by way of a field.
async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
