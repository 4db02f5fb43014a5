// The Pintag runtime: one function, called with the configuration of one snippet.
//
// A page may hold many snippets, inline and hosted, rendered years apart. The first runtime to
// run stays; every later one only registers itself with it. So these are promises for good:
//   pintag(slug, data)   the one public function; "identify", "reset", "consent" are no slugs
//   pintag(config)       registers a snippet, and so does pintag.r(config); its parts:
//                        u its address, n its slug, s its source, l: ms that a visitor id is
//                        good for; c: 1 consent is required, 0 it is not, whatever the browser
//                        says; left out: it is where Do Not Track or Global Privacy Control is on
//   pintag.q             has push([slug, data, time]), for calls that came before the runtime
//   localStorage         "pintag.v" is the visitor, "pintag.h.<id> <address>" one unsent hit,
//                        "pintag.l.<address>" how many hits to this address were given up
//
// The storage is the queue: whichever page has the lock sends from it, in order, for all tabs.
// tests/snippets/build.py makes runtime.min.js of this; run it after every change.
((config) => {
  // Characters of the hits in a request: browsers allow a page 64 KiB in flight that may outlive
  // it, and a character has at most 3 bytes. No 100 hits, the most that the collector takes, are
  // so few characters.
  const LIMIT = 15e3;
  // What may wait after a failure: characters, with 1,000 more for each hit, and how old it may be
  // in ms: 28 days, as the server takes ids of up to 30.
  const ROOM = 2e6;
  const AGE = 24192e5;
  // Whether there is consent. Unless somebody asks for it, it is assumed.
  const NO = 0;
  const AWAITED = 1;
  const ASSUMED = 2;
  const YES = 3;

  // An element with the id "pintag" is in window.pintag, too; it has neither r nor q.
  let pintag = window.pintag || 0;
  if (pintag.r) return pintag.r(config);

  const snippets = new Map(); // configurations by slug
  const calls = pintag.q || []; // calls that wait for consent, or for their snippet
  const memory = {}; // what the storage does not take: it may be full
  let storage = {};
  let flying = {}; // hits that this page sent and that have no answer yet, by key
  let waits = {}; // until when nothing is sent, by address
  let consent = ASSUMED;
  let delay = 1e3; // before the next try
  let limit = LIMIT;
  let count = 0; // of ids that this page made
  let claims, timer;

  try {
    storage = localStorage || storage;
  } catch (error) {} // denied

  const read = (key) => storage[key] || memory[key];

  const write = (key, text) => {
    try {
      storage[key] = text;
    } catch (error) {
      memory[key] = text;
    }
  };

  const erase = (key) => {
    delete storage[key];
    delete memory[key];
  };

  // Our keys that begin like this; hits are in the order of their times, with which ids begin.
  const keys = (start) =>
    Object.keys(storage)
      .concat(Object.keys(memory))
      .filter((key) => key.startsWith("pintag." + start))
      .sort();

  // A UUIDv7: 48 bits of time, the version 7, the variant 8, four digits that keep the order of
  // hits of one ms, and random digits, of which decimal ones will do.
  const mint = (at) =>
    (
      at.toString(16).padStart(12, 0) +
      (7e4 + (count++ % 1e4)) +
      crypto.getRandomValues(new Uint32Array(9)).join("")
    ).replace(/(.{8})(.{4})(.{4})(.{3})(.{12}).*/, "$1-$2-$3-8$4-$5");

  // Whether such an id was made more than so many ms ago.
  const isOlder = (id, ms) => Date.now() - ms > parseInt(id.replace("-", ""), 16);

  const track = ([slug, data, at = Date.now(), who]) => {
    try {
      if (slug.u) {
        snippets.set(slug.n, slug);
        if (
          consent == ASSUMED &&
          (slug.c ?? (navigator.globalPrivacyControl || +navigator.doNotTrack))
        )
          consent = AWAITED;
        return drain();
      }
      if (slug == "consent") {
        consent = data ? YES : NO;
        if (!data) {
          claims = undefined;
          keys("").forEach(erase);
        }
        return drain();
      }
      // A browser may load a page that nobody gets to see.
      if (consent < ASSUMED || document.prerendering)
        return consent && calls.push([slug, data, at, who]);
      if (slug == "reset" || slug == "identify") {
        claims = undefined;
        if (slug == "reset") erase("pintag.v");
        // A copy: what the page does to it later changes nothing, and each hit can hold it.
        else if (data) claims = { ...JSON.parse(JSON.stringify(data)) };
        return;
      }
      // Who it is at this moment: a call that waits for its snippet keeps it.
      let visitor = read("pintag.v");
      if (!visitor || isOlder(visitor, config.l || 34128e6))
        write("pintag.v", (visitor = mint(Date.now())));
      who ||= { visitor, claims };
      const snippet = snippets.get(slug);
      if (!snippet) {
        // Kept, as it may be the snippet of a hosted script that is still on its way.
        calls.push([slug, data, at, who]);
        throw "no snippet " + slug;
      }
      const id = mint(at);
      const key = "pintag.h." + id + " " + snippet.u;
      write(
        key,
        JSON.stringify({
          id,
          at,
          ...who,
          data: { source: snippet.s, ...data },
          page: location.href,
          referrer: document.referrer,
        }),
      );
      // Whatever else happens until then goes out in the same request.
      timer ||= setTimeout(flush);
    } catch (error) {
      console.warn("pintag:", error);
    }
  };

  // The calls that wait, and what the storage has.
  const drain = () => {
    calls.splice(0).forEach(track);
    flush();
  };

  // Sends what there is, one request after the other: hits for one address, not too many, not too
  // large, the oldest first. A page that goes away sends one request, whatever it was told.
  const post = async (staying) => {
    const batch = [];
    let size = 0;
    let url, status, pause;
    for (const key of keys("h.")) {
      const to = key.slice(46);
      if (
        consent >= ASSUMED &&
        !(flying[key] || (staying && waits[to] > Date.now())) &&
        to &&
        to == (url ||= to)
      ) {
        size += read(key).length;
        if (batch[0] && size > limit) break;
        batch.push(key);
        flying[key] = 1;
      }
    }
    if (!url) return;
    try {
      const answer = await fetch(url, {
        method: "POST",
        body: `{"sent":${Date.now()},"lost":${read("pintag.l." + url) || 0},"hits":[${batch.map(read)}]}`,
        keepalive: batch[1] || size < LIMIT,
        // A connection may hang for good, as when a phone changes networks.
        signal: AbortSignal.timeout?.(2e4),
      });
      status = answer.status;
      pause = answer.headers.get("Retry-After") * 1e3;
    } catch (error) {}
    batch.forEach((key) => (flying[key] = 0));
    if (batch[1] && status == 400) {
      // One hit spoils it for all: the next one goes alone.
      limit = 0;
    } else if (/204|4[01][034]/.test(status)) {
      // Taken, or refused for good.
      batch.forEach(erase);
      if (status == 204) erase("pintag.l." + url);
      delay = 1e3;
      limit = LIMIT;
    } else {
      pause = (pause > delay ? pause : delay) * (1 + Math.random());
      waits[url] = Date.now() + pause - 9; // timers may be early
      setTimeout(flush, pause);
      if (delay < 2e5) delay *= 2;
      // What is too much, or too old, is given up, and counted.
      size = 0;
      keys("h.")
        .reverse()
        .forEach((key) => {
          size += read(key).length + 1e3;
          if (size > ROOM || isOlder(key.slice(9), AGE)) {
            erase(key);
            key = "pintag.l." + key.slice(46);
            write(key, -~read(key)); // one more than that
          }
        });
    }
    // Tabs hear a moment later of what was erased: until then they get no lock.
    await new Promise((done) => setTimeout(done, 99));
    return staying && post(1);
  };

  // One page at a time sends, for all tabs. There is no lock where the page is not secure, or may
  // not store anything.
  const flush = () => {
    timer = 0;
    navigator.locks?.request("pintag", post).catch(post) || post(1);
  };

  pintag = window.pintag = (...call) => track(call);
  pintag.push = track;
  pintag.q = pintag.r = pintag;
  pintag(config);
  addEventListener("online", () => flush((waits = {})));
  addEventListener("visibilitychange", () => {
    // There may be no time to wait for the lock. And pages out of the back/forward cache never
    // hear the answers to what they sent as they went.
    document.hidden ? post() : drain((flying = {}));
  });
})(PINTAG_CONFIG);
