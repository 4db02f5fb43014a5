// The hosted script: the runtime, the same for every event. Its configurations were registered
// before it came, by stubs or by a tag manager; or its own tag has one, as in earlier releases.
// All of them count before the first call does, so that none is stored or sent against a later
// one's rule. A page where it finds none has made a mistake; it gets a warning and no exception.
try {
  const run = PINTAG_RUNTIME;
  const { q = [], r } = window.pintag || {};
  const own = document.currentScript?.dataset.pintag;
  const found = own ? [JSON.parse(own)] : [];
  const calls = [];
  if (!r) {
    // Tag managers make stubs, too, and those note no times and no addresses.
    for (const [first, data, at, who] of q.splice(0)) {
      if ((first || 0).n) found.push(first);
      else calls.push([first, data, at || Date.now(), who]);
    }
    if (!found[0]) {
      q.push(...calls);
      throw "no snippet is registered on this page";
    }
  }
  // First those that ask for consent. Then all in their order: the later of two for a slug counts.
  const strictness = ({ c = 0.5 }) => c;
  const strictest = [...found].sort((one, other) => strictness(other) - strictness(one));
  [...strictest, ...found].forEach((config) => run(config));
  calls.forEach((call) => window.pintag.q.push(call));
} catch (error) {
  console.warn("pintag:", error);
}
