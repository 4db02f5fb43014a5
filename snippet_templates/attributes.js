// Events without a line of code: elements with data-pintag-click, -submit, -change or -visible,
// whose value is the slug of an event.
//
// It needs nothing of the runtime but pintag(slug, data), looked up when something happens, so the
// two may come in any order. A page can get this script more than once, from a hosted snippet and
// an inline one; the first copy does the work. This is a promise for good:
//   window.pintagAttributes   is there when a copy is at work
//
// tests/snippets/build.py makes attributes.min.js of this; run it after every change. The names of
// attributes are written out each time: that is smaller, compressed, than a function for them.
(() => {
  if (window.pintagAttributes) return;
  window.pintagAttributes = 1;

  const read = (element) => {
    const data = {};
    try {
      // Without the attribute this is null, of which nothing is taken.
      Object.assign(data, JSON.parse(element.getAttribute("data-pintag-fields")));
    } catch (error) {
      console.warn("pintag:", error); // the event is sent with the other fields
    }
    for (const name of element.getAttributeNames()) {
      const key = name.split("data-pintag-field-")[1];
      if (key) data[key] = element.getAttribute(name);
    }
    for (const control of [element, ...element.querySelectorAll("[data-pintag-value]")]) {
      const { type, value, checked, autocomplete } = control;
      const key = control.getAttribute("data-pintag-value");
      // Never a secret: where a page shows a password as text, its autocomplete still tells.
      if (key && !/password|^file|cc-/.test(type + autocomplete)) {
        if (type == "checkbox") data[key] = checked;
        // What is empty or not chosen is left out.
        else if (value !== "" && (type != "radio" || checked)) data[key] = value;
      }
    }
    return data;
  };

  // Of a click on a label the browser makes another, within the same task, on the label's control:
  // a person has clicked once.
  let echo;

  // The innermost element with the trigger counts. A path, unlike closest(), leads out of shadow
  // trees.
  const track = (path, trigger) => {
    try {
      const name = "data-pintag-" + trigger;
      const element = path.find((node) => node.hasAttribute?.(name));
      if (!element) return;
      if (trigger == "click") {
        if (path[0] == echo) return;
        const label = path.find((node) => node.control && node.control != path[0]);
        echo = label && label.control;
        setTimeout(() => (echo = 0));
      }
      const slug = element.getAttribute(name);
      // Events only: a page may show what visitors wrote, which must not give anybody's consent.
      if (!/^(consent|debug|identify|reset)$/.test(slug)) pintag(slug, read(element));
    } catch (error) {
      console.warn("pintag:", error);
    }
  };

  // On the window and before all others, so that no handler of the page's can stop the event.
  ["click", "submit", "change"].forEach((trigger) =>
    addEventListener(trigger, (event) => track(event.composedPath(), trigger), true),
  );

  // An element counts once while the page has the same address, its fragment aside.
  const seen = new WeakMap();
  const place = () => location.href.split("#")[0];
  const observer = new IntersectionObserver(
    (entries) =>
      entries.forEach(({ target, intersectionRatio, intersectionRect }) => {
        // Half of it, or as much of it as fills half of the window.
        if (
          (intersectionRatio >= 0.5 || intersectionRect.height > innerHeight / 2) &&
          seen.get(target) != place()
        ) {
          seen.set(target, place());
          observer.unobserve(target);
          track([target], "visible");
        }
      }),
    // Each is at most the double of the one before: so one of them is met by an element of any
    // height while it fills half of the window or more, up to a hundred windows.
    { threshold: [0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.5] },
  );

  let timer;
  const look = () => {
    timer = 0;
    document.querySelectorAll("[data-pintag-visible]").forEach((element) => {
      if (seen.get(element) != place()) observer.observe(element);
    });
  };
  // Not for each of the page's changes: some pages never stop changing.
  new MutationObserver(() => (timer = timer || setTimeout(look, 99))).observe(document, {
    subtree: true,
    childList: true,
    attributeFilter: ["data-pintag-visible"],
  });
  look();
})();
