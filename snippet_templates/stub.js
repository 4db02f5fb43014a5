// Registers a snippet where its page has no runtime yet, or has one: keeps calls, with their times
// and addresses and a copy of their data, until a runtime takes over. It is one level of the data:
// what copies more is over the budget. An element with the id "pintag" would be in window.pintag,
// too; it can't be called. Runtimes of any age have pintag.r. Data that throws as it is read throws
// nothing into the page, as the function is async.
window.pintag?.call ||
  (window.pintag = async (first, data) =>
    (pintag.q ||= []).push([first, data && { ...data }, Date.now(), { page: location.href }]));
(pintag.r || pintag)(PINTAG_CONFIG);
