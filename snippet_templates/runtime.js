// The Pintag runtime: one function, called with the configuration of one snippet.
//
// A page may hold many snippets, inline and hosted, rendered years apart. The first runtime to
// run stays; every later one only registers itself with it. So these are promises for good:
//   pintag(slug, data)   the one public function; "identify", "reset", "consent" are no slugs
//   pintag(config)       registers a snippet, and so does pintag.r(config); its parts:
//                        u its address, n its slug, l: ms that a visitor id is good for;
//                        c: 1 consent is required, 0 it is not, whatever the browser says;
//                        left out: it is where Do Not Track or Global Privacy Control is on
//   pintag.q             has push([slug, data, time, {page}]), for calls from before the runtime
//   localStorage         "pintag.v" is the visitor, "pintag.h.<id> <address>" one unsent hit,
//                        "pintag.l.<address>" how many hits to this address were given up
//
// The storage is the queue: whichever page has the lock sends from it, in order, for all tabs.
// tests/snippets/build.py makes runtime.min.js of this; run it after every change. Every byte counts:
// hence `let` throughout, and an order of declarations that compresses well.
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

  let flying = {}; // hits that this page sent and that have no answer yet, by key
  let waits = {}; // until when nothing is sent, by address
  let snippets = {}; // configurations by slug, with our prefix: some sites have a Map of their own
  let consent = ASSUMED;
  let memory = {}; // what this tick wrote, or what the storage does not take: it may be full
  let delay = 1e3; // before the next try
  let limit = LIMIT;
  let calls = pintag.q || []; // calls that wait for consent, or for their snippet
  let claims = {}; // by visitor
  let timer;
  let count = 0; // of ids that this page made
  let storage = {};

  try {
    storage = localStorage || storage;
  } catch (error) {} // denied

  let erase = (key) => {
    delete storage[key];
    delete memory[key];
  };

  let read = (key) => storage[key] || memory[key] || "";

  // Into both at first: a page may clear its storage in the same tick, as when somebody signs out.
  // Whatever else happens in that tick goes out in the same request.
  let write = (key, text) => {
    memory[key] = text;
    timer ||= setTimeout(flush);
    try {
      storage[key] = text;
    } catch (error) {}
  };

  // Our keys that begin like this; hits are in the order of their times, with which ids begin.
  let keys = (start) =>
    [storage, memory]
      .flatMap(Object.keys)
      .filter((key) => key.startsWith("pintag." + start))
      .sort();

  // One page at a time sends, for all tabs. There is no lock where the page is not secure, or may
  // not store anything.
  let flush = () => {
    timer = 0;
    Object.keys(memory).forEach((key) => {
      try {
        storage[key] = memory[key];
        delete memory[key];
      } catch (error) {}
    });
    navigator.locks?.request("pintag", post).catch(post) || post(1);
  };

  // Sends what there is, one request after the other: hits for one address, not too many, not too
  // large, the oldest first. A page that goes away sends one request, whatever it was told.
  let post = async (staying) => {
    let batch = [];
    let size = 0;
    let url, status, pause;
    // Nor is the storage read.
    if (consent < ASSUMED || document.prerendering) return;
    for (let key of keys("h.")) {
      let to = key.slice(46);
      if (!(flying[key] || (staying && waits[to] > Date.now())) && to && to == (url ||= to)) {
        size += read(key).length;
        if (batch[0] && size > limit) break;
        batch.push(key);
        flying[key] = 1;
      }
    }
    if (!url) return;
    let lost = +read("pintag.l." + url);
    let body = `{"sent":${Date.now()},"lost":${lost},"hits":[${batch.map(read)}]}`;
    try {
      let answer = await fetch(url, {
        keepalive: body.length < 2e4, // also of a hit that is alone, as the next one does not fit
        method: "POST",
        body,
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
      pause = (pause > delay ? pause : delay) * (Math.random() + 1);
      waits[url] = Date.now() + pause - 99; // timers may be early
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
            write(key, +read(key) + 1); // one more than that
          }
        });
    }
    // Tabs hear a moment later of what was erased: until then they get no lock.
    await new Promise((done) => setTimeout(done, 99));
    return staying && post(1);
  };

  let track = ([slug, data, at = Date.now(), who = { page: location.href }]) => {
    try {
      if (slug.u) {
        snippets["pintag." + slug.n] = slug;
        if (
          consent == ASSUMED &&
          (slug.c ?? (navigator.globalPrivacyControl || +navigator.doNotTrack))
        )
          consent = AWAITED;
        return drain();
      }
      if (slug == "consent") {
        consent = data ? YES : NO;
        if (!data) keys("").forEach(erase);
        return drain();
      }
      // Also where the new ones can't be read.
      if (slug == "identify") claims = {};
      // A copy, as the page may go on with the same object. It holds nothing that a hit can't.
      data &&= JSON.parse(JSON.stringify({ ...data }));
      // A browser may load a page that nobody gets to see. What waits does so with its page, as
      // that may go on to another address.
      if (consent < ASSUMED || document.prerendering)
        return consent && calls.push([slug, data, at, who]);
      if (slug == "reset") return erase("pintag.v");
      let visitor = read("pintag.v");
      if (isOlder(visitor, config.l || 34128e6)) write("pintag.v", (visitor = mint(Date.now())));
      // Claims end with their visitor, whichever tab or page resets it.
      if (slug == "identify") return data && (claims[visitor] = data);
      // Who it is at this moment: a call that waits for its snippet keeps it.
      who = { visitor, claims: claims[visitor], ...who };
      let snippet = snippets["pintag." + slug];
      if (!snippet) {
        // Kept, as it may be the snippet of a hosted script that is still on its way.
        calls.push([slug, data, at, who]);
        throw "no snippet " + slug;
      }
      let id = mint(at);
      write(
        "pintag.h." + id + " " + snippet.u,
        JSON.stringify({
          id,
          at,
          ...who,
          data: { ...data },
          referrer: document.referrer,
        }),
      );
    } catch (error) {
      console.warn("pintag:", error);
    }
  };

  // The calls that wait, and what the storage has.
  let drain = () => {
    calls.splice(0).forEach(track);
    flush();
  };

  // Whether such an id, or none, was made more than so many ms ago: ids begin with their time.
  let isOlder = (id, ms) => id < mint(Date.now() - ms);

  // A UUIDv7: 48 bits of time, the version 7, the variant 8, four digits that keep the order of
  // hits of one ms, and random digits, of which decimal ones will do.
  let mint = (at) =>
    (
      at.toString(16).padStart(12, 0) +
      (7e4 + (count++ % 1e4)) +
      crypto.getRandomValues(new Uint32Array(9)).join("")
    ).replace(/(.{8})(.{4})(.{4})(.{3})(.{12}).*/, "$1-$2-$3-8$4-$5");

  pintag = window.pintag = (...call) => track(call);
  pintag.push = track;
  pintag.r = pintag.q = pintag;
  pintag(config);
  addEventListener("online", () => flush((waits = {})));
  // Before the page's own listeners. Browsers say that it is visible a moment before this.
  addEventListener("prerenderingchange", drain, true);
  // There may be no time to wait for the lock. And pages out of the back/forward cache never hear
  // the answers to what they sent as they went.
  addEventListener("visibilitychange", () =>
    document.hidden ? post() : flush((flying = {})),
  );
})(PINTAG_CONFIG);
