// Sets the theme before the first paint; a file of its own because the content
// security policy allows no inline script. src/prefs/theme.ts goes on from here.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("guarda.theme") || "system";
  } catch {
    // Storage is switched off: follow the system.
  }
  const dark =
    choice === "dark" || (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
