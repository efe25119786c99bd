{
  // Light or dark: what the page was written for, else what the system says, also when it changes its mind.
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  if (!root.dataset.theme) {
    root.dataset.follows = "system";
    root.dataset.theme = dark.matches ? "dark" : "light";
    dark.addEventListener("change", () => { if (root.dataset.follows) root.dataset.theme = dark.matches ? "dark" : "light"; });
  }
}
