// On a phone the panel is a sheet at the bottom: closed it shows prompt and button, open all options.

const panel = document.getElementById("panel");
const grip = document.getElementById("grip");

function set(open) {
  panel.classList.toggle("open", open);
  grip.setAttribute("aria-expanded", String(open));
}

export const close = () => set(false);
export const open = () => set(true);

export function begin() {
  grip.addEventListener("click", () => set(!panel.classList.contains("open")));
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.classList.contains("open")) {
      set(false);
      grip.focus();
    }
  });
  // the rest of the page must not hide behind it
  const root = document.documentElement;
  new ResizeObserver(() => root.style.setProperty("--sheet", `${panel.offsetHeight}px`)).observe(panel);
}
