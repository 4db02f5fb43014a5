// The debug script, which only test snippets load (`pintag snippet show NAME --test`), before the
// snippet itself: it says in the console what becomes of each call, and changes nothing of it.
//
//   its tag's data-pintag-debug   {u, n, c} as the runtime has them, v: the version's number,
//                                 f: its fields, as [key, type, required]
//   pintagDebug.check(slug, data) what the server would find wrong with such a call
//
// tests/snippets/build.py makes debug.min.js of this; PINTAG_VERDICT is verdict.js.
(() => {
  const own = JSON.parse(document.currentScript.dataset.pintagDebug);
  // With more test snippets on a page it runs once for each; all but the first only register.
  if (window.pintagDebug) return window.pintagDebug.add(own);

  const verdict = PINTAG_VERDICT;
  const snippets = new Map(); // by slug
  const COMMANDS = ["consent", "identify", "reset"];
  const DROPPED = "the hits are dropped.";
  const KEPT = "the hits wait, and are sent again.";
  const ANSWERS = {
    0:
      "it is down, the browser is offline, or something blocks the request" +
      ` (a Content-Security-Policy, an ad blocker): ${KEPT}`,
    400: `it could not read the request: ${DROPPED}`,
    403: `the section takes no hits from this origin: ${DROPPED} See: pintag section show`,
    404: `no snippet has this key: ${DROPPED}`,
    410: `tracking is switched off, the event hidden, or this key replaced: ${DROPPED}`,
    413: `the request is too large: ${DROPPED}`,
    429: `this snippet sends more hits a second than it may: ${KEPT}`,
    500: `it failed, which is our bug: ${KEPT}`,
    503: `it can't be sure that it can keep them: ${KEPT}`,
  };

  const say = (level, text) => console[level]("pintag debug: " + text);

  // -- "did you mean"

  // How many letters must be added, taken out or replaced to make one word of the other.
  const distance = (from, to) => {
    let row = [...Array(to.length + 1).keys()];
    for (let i = 0; i < from.length; i++) {
      const next = [i + 1];
      for (let j = 0; j < to.length; j++) {
        const replaced = row[j] + (from[i] == to[j] ? 0 : 1);
        next.push(Math.min(replaced, row[j + 1] + 1, next[j] + 1));
      }
      row = next;
    }
    return row[to.length];
  };

  const plain = (word) => word.toLowerCase().replace(/[^a-z0-9]/g, "");

  const meant = (word, words) => {
    const near = words
      .map((other) => [distance(plain(word).slice(0, 100), plain(other)), other])
      .filter(([far, other]) => far <= Math.max(1, plain(other).length / 3))
      .sort(([one], [other]) => one - other)[0];
    return near ? ` Did you mean \`${near[1]}\`?` : "";
  };

  // -- one call

  // As the runtime sends it and the worker completes it. Throws what JSON.stringify throws.
  const sent = (data) =>
    JSON.stringify({ ...data, source: data?.source ?? "Website" }) || "{}";

  const check = (slug, data) => {
    const snippet = snippets.get(slug);
    return verdict(snippet.f, sent(data));
  };

  const line = ({ field, code, message }, { f }, values) => {
    const value = code == "required" || !field ? undefined : JSON.stringify(values[field]);
    const shown = value === undefined ? "" : ` It is ${value.slice(0, 60)}`;
    const hint = code == "unknown_field" ? meant(field, f.map(([key]) => key)) : "";
    return `\n  ${field || "the data"}: ${message}${hint}${shown} (${code})`;
  };

  let consent; // what the page said last
  const kept = () => {
    if (consent) return "";
    if (consent === false) return " Consent is refused, so it is not sent.";
    const signal = navigator.globalPrivacyControl || navigator.doNotTrack == "1";
    const awaited = [...snippets.values()].some(({ c }) => (c === undefined ? signal : c));
    return awaited ? " It waits for pintag('consent', true)." : "";
  };

  const explainCommand = (command, data) => {
    if (command == "consent") {
      consent = !!data;
      say("info", consent ? "consent is given." : "consent is refused: nothing is sent or kept.");
    } else if (command == "identify") {
      const claims = Object.keys(data || {}).join(", ");
      say("info", claims ? `hits carry these claims from now on: ${claims}.` : "no more claims.");
    } else {
      say("info", "a new visitor begins, without claims.");
    }
  };

  const explain = (slug, data) => {
    // The snippets themselves come this way, too, as configurations.
    if (slug && typeof slug == "object") return;
    if (COMMANDS.includes(slug)) return explainCommand(slug, data);
    const snippet = snippets.get(slug);
    if (!snippet) {
      const hint = meant(String(slug), [...snippets.keys()]);
      return say("warn", `${slug}: this page has no test snippet of this event.${hint}`);
    }
    let text;
    try {
      text = sent(data);
    } catch (error) {
      return say("warn", `${slug}: not sent, as JSON can't hold the data: ${error}`);
    }
    const errors = verdict(snippet.f, text);
    const watch = `A test hit: \`pintag snippet watch ${slug}\` shows it.${kept()}`;
    if (!errors[0]) return say("info", `${slug}: fits version ${snippet.v}. ${watch}`);
    const values = JSON.parse(text) || {};
    const lines = errors.map((error) => line(error, snippet, values)).join("");
    say("warn", `${slug}: does not fit version ${snippet.v} (invalid_data).${lines}\n${watch}`);
  };

  // -- what it listens to

  // Whatever becomes window.pintag, first a stub and then the runtime, say, is seen through a proxy.
  const seenThrough = (target) =>
    typeof target != "function"
      ? target
      : new Proxy(target, {
          apply: (inner, self, args) => {
            try {
              explain(...args);
            } catch (error) {
              say("warn", error);
            }
            return Reflect.apply(inner, self, args);
          },
        });
  let current = seenThrough(window.pintag);
  Object.defineProperty(window, "pintag", {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (target) => {
      if (target !== current) current = seenThrough(target);
    },
  });

  // Once all scripts are there that the page came with.
  const TRIGGERS = ["click", "submit", "change", "visible"].map((name) => `[data-pintag-${name}]`);
  addEventListener("load", () => {
    if (window.pintagAttributes || !document.querySelector(TRIGGERS.join())) return;
    say(
      "warn",
      "this page has data-pintag attributes, and nothing reads them:" +
        " take the hosted form, or add the script of `pintag snippet show NAME --attributes`.",
    );
  });

  const owns = (address) => {
    const path = address.split("?")[0];
    return [...snippets.values()].some(({ u }) => u.split("?")[0] == path);
  };
  // Watching requests leaves `fetch` as it is. Browsers that tell no status say nothing here.
  new PerformanceObserver((list) =>
    list.getEntries().forEach(({ name, responseStatus: status }) => {
      if (status === undefined || status == 204 || !owns(name)) return;
      const meaning = ANSWERS[status] || `no collector says that: ${KEPT}`;
      say("warn", `the collector answered ${status || "nothing"}: ${meaning}`);
    }),
  ).observe({ type: "resource", buffered: true });
  document.addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
    if (!owns(blockedURI)) return;
    const origin = new URL(blockedURI).origin;
    say("warn", `the page's Content-Security-Policy needs ${origin} in ${effectiveDirective}.`);
  });

  const add = (snippet) => {
    snippets.set(snippet.n, snippet);
    const fields = snippet.f.map(([key, type, required]) => `${key}${required ? "*" : ""}: ${type}`);
    say("info", `${snippet.n}: a test snippet of version ${snippet.v} (${fields.join(", ")}).`);
  };
  window.pintagDebug = { add, check };
  add(own);
})();
