// What every page has: theme, dialogues, menus; and what some have.
import { followLive } from "./live.js";
import { askInDialogue } from "./ask.js";
import { tickTimes } from "./times.js";
import { chooseTheme } from "./theme.js";
import { readPlots } from "./plot.js";
import { readReports } from "./report.js";
import { offerCopies } from "./copy.js";
import { playVirtual } from "./virtual.js";

chooseTheme(document.getElementById("theme"));
askInDialogue(document.getElementById("ask"));
tickTimes();
readPlots();
readReports();
offerCopies();
playVirtual();
for (const element of document.querySelectorAll("[data-live]")) {
  followLive(element.dataset.live);
}

// A menu closes when something else is chosen, and by Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest?.("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
