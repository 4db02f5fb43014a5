// Beside a hosted script: keeps calls, with their times, until the runtime takes over. An
// element with the id "pintag" would be in window.pintag, too; it can't be called.
(() => {
  window.pintag =
    typeof window.pintag == "function"
      ? window.pintag
      : (slug, data) => (window.pintag.q = window.pintag.q || []).push([slug, data, Date.now()]);
})();
