// The hosted script: the runtime, the same for every event. Its configurations were registered
// before it came, by stubs or by a tag manager; or its own tag has one, as in earlier releases.
// A page where it finds none has made a mistake; it gets a warning and no exception.
try {
  const run = PINTAG_RUNTIME;
  const { q = [], r } = window.pintag || {};
  const own = document.currentScript.dataset.pintag;
  const found = own ? [JSON.parse(own)] : [];
  if (!r) {
    // Tag managers make stubs, too, and those note no times.
    const calls = q.splice(0).map(([first, data, at]) => [first, data, at || Date.now()]);
    for (const call of calls) (call[0] || 0).n ? found.push(call[0]) : q.push(call);
    if (!found[0]) throw "no snippet is registered on this page";
  }
  found.forEach((config) => run(config));
} catch (error) {
  console.warn("pintag:", error);
}
