// Registers a snippet where its page has no runtime yet, or has one: keeps calls, with their times
// and a copy of their data, until a runtime takes over. An element with the id "pintag" would be in
// window.pintag, too; it can't be called. Runtimes of any age have pintag.r.
typeof pintag == "function" ||
  (window.pintag = (first, data) =>
    (window.pintag.q = window.pintag.q || []).push([first, data && { ...data }, Date.now()]));
(pintag.r || pintag)(PINTAG_CONFIG);
