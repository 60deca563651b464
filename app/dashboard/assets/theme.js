// Light, dark, or as the system has it; kept in a cookie, so that pages arrive in the right one.
const NEXT = { system: "light", light: "dark", dark: "system" };
const SAYS = { system: "Auto", light: "Light", dark: "Dark" };

export function chooseTheme(button) {
  if (!button) return;
  const root = document.documentElement;
  const show = () => {
    button.textContent = SAYS[root.dataset.theme];
    button.setAttribute("aria-label", `Theme: ${SAYS[root.dataset.theme]}`);
  };
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    root.dataset.theme = NEXT[root.dataset.theme] ?? "system";
    document.cookie = `theme=${root.dataset.theme}; Path=/; SameSite=Lax; Max-Age=31536000`;
    show();
  });
}
