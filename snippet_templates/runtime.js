// The Pintag runtime: one function, called with the configuration of one snippet.
//
// A page may hold many snippets, inline and hosted, rendered years apart. The first runtime to
// run stays; every later one only registers itself with it. So these are promises for good:
//   pintag(slug, data)   the one public function; "identify" and "reset" are no slugs
//   pintag(config)       registers a snippet, as does pintag.r(config) in runtimes of any age:
//                        {u: its address, n: its slug, s: its source}
//   pintag.q             has push([slug, data, time]), for calls that came before the runtime
//   localStorage         "pintag.v" is the visitor, "pintag.h.<id>" one unsent hit: {u, h}
//
// tests/snippets/build.py makes runtime.min.js of this; run it after every change.
((config) => {
  // What became of a hit so far, in the order of how little there is left to do for it: a flush
  // takes all hits up to a state.
  const FREE = 0; // nothing yet, or its time to be tried again has come
  const WAITING = 1; // sending it failed; it waits for the next try
  const BEACONED = 2; // given to the browser when the page went away: there will be no answer
  const FLYING = 3; // sent, and the answer is still to come

  // Browsers allow a page 64 KiB of requests in flight that may outlive it. This is what the
  // hits of one request may have: with the envelope and 99 commas it stays below 60,000 bytes.
  const LIMIT = 59e3;

  // An element with the id "pintag" is in window.pintag, too; it has neither r nor q.
  const earlier = window.pintag || 0;
  if (earlier.r) return earlier.r(config);

  const configs = new Map(); // by slug
  const calls = earlier.q || []; // calls that wait for their snippet
  const pending = new Map(); // hits not settled, by storage key
  let visitor;
  let claims;
  let timer;
  let delay = 1e3;
  let flying = 0; // bytes

  // Storage may be denied, full or missing, and so may sendBeacon: then we do without.
  const attempt = (action) => {
    try {
      return action();
    } catch (error) {}
  };

  // 128 random bits, as 32 hexadecimal digits.
  const random = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, 0),
    ).join("");

  const add = (key, url, hit) => {
    const text = JSON.stringify(hit);
    pending.set(key, { key, url, text, size: new Blob([text]).size, state: FREE });
  };

  // True if it worked.
  const store = (key, text) => attempt(() => !localStorage.setItem(key, text));

  // Who it is at this moment: a call that waits for its snippet keeps it.
  const identity = () => {
    visitor =
      attempt(() => localStorage.getItem("pintag.v")) ||
      // Never over what is stored: another tab, not heard of yet, may have just reset it.
      (store("pintag.v", (visitor = visitor || random())), visitor);
    return { visitor, claims };
  };

  const track = (call) => {
    try {
      const [slug, data, at, earlier] = call;
      if (slug.n) return register(slug); // by a stub, or by another event's snippet
      if (slug == "reset") {
        // In one step: a tab that found none would store the old one again. What can't be stored
        // must at least take the old one away.
        claims = undefined;
        visitor = random();
        return store("pintag.v", visitor) || attempt(() => localStorage.removeItem("pintag.v"));
      }
      if (slug == "identify") {
        claims = undefined;
        // A copy: what the page does to it later changes nothing, and each hit can hold it.
        if (data) claims = { ...JSON.parse(JSON.stringify(data)) };
        return;
      }
      const who = earlier || identity();
      const config = configs.get(slug);
      if (!config) {
        // Kept, as it may be the snippet of a hosted script that is still on its way.
        calls.push([slug, data, at, who]);
        throw "no snippet: " + slug;
      }
      // UUIDv7: 48 bits of time, the version 7, the variant 8 and random bits.
      const id = (at.toString(16).padStart(12, 0) + 7 + random()).replace(
        /(.{8})(.{4})(.{4})(.{3})(.{12}).*/,
        "$1-$2-$3-8$4-$5",
      );
      const hit = {
        id,
        at,
        ...who,
        data: { source: config.s || "Website", ...data },
        page: location.href,
        referrer: document.referrer || undefined,
      };
      const key = "pintag.h." + id;
      add(key, config.u, hit);
      // An item of its own, so that two tabs never overwrite one another's.
      store(key, JSON.stringify({ u: config.u, h: hit }));
      // Whatever else happens until then goes out in the same request.
      setTimeout(flush, 0, FREE);
    } catch (error) {
      console.warn("pintag:", error);
    }
  };

  const flush = (upTo, leaving) => {
    // One request: hits for one address, not too many and not too large, the oldest first.
    const batch = [];
    let size = 0;
    pending.forEach((hit) => {
      if (
        hit.state <= upTo &&
        (!size || (hit.url == batch[0].url && !batch[99] && size + hit.size < LIMIT))
      ) {
        batch.push(hit);
        size += hit.size;
      }
    });
    // What finds no room in flight goes once there is an answer.
    if (!size || (flying && flying + size > LIMIT)) return;
    post(batch, size, leaving);
    flush(upTo, leaving);
  };

  const post = async (batch, size, leaving) => {
    const { url } = batch[0];
    const body = `{"sent":${Date.now()},"lost":0,"hits":[${batch.map((hit) => hit.text)}]}`;
    const mark = (state) => batch.forEach((hit) => (hit.state = state));
    if (leaving && attempt(() => navigator.sendBeacon(url, body))) return mark(BEACONED);
    mark(FLYING);
    flying += size;
    let status;
    try {
      const options = { method: "POST", body, keepalive: size < LIMIT, credentials: "omit" };
      // A connection may hang for good, as when a phone changes networks.
      options.signal = attempt(() => AbortSignal.timeout(2e4));
      const answer = await fetch(url, options);
      await answer.text(); // only then has the browser room for more requests like this
      status = answer.status;
    } catch (error) {}
    flying -= size;
    if (batch[1] && [400, 413].includes(status)) {
      // One hit spoils it for all: each is sent again, alone, as there is room for no other.
      batch.forEach((hit) => (hit.size = LIMIT));
      mark(FREE);
    } else if ([204, 400, 403, 404, 410, 413].includes(status)) {
      // Taken, or refused for good.
      batch.forEach(({ key }) => {
        pending.delete(key);
        attempt(() => localStorage.removeItem(key));
      });
      delay = 1e3;
    } else {
      mark(WAITING);
      // Hits that fail while a try is already due do not put off the next one.
      if (!timer) {
        timer = setTimeout(resume, delay * (0.5 + Math.random()));
        delay = Math.min(delay * 2, 3e5);
      }
      return;
    }
    flush(FREE);
  };

  // Sends all that isn't in flight, and what other pages have left in the storage.
  const resume = () => {
    timer = clearTimeout(timer);
    pending.forEach((hit) => hit.state > BEACONED || (hit.state = FREE));
    attempt(() => {
      // In the order of their times, with which the ids begin.
      for (const key of Object.keys(localStorage).sort()) {
        if (key.startsWith("pintag.h.") && !pending.has(key)) {
          attempt(() => {
            const { u, h } = JSON.parse(localStorage.getItem(key));
            // Not ours if it has no id, and it would spoil the request that it is in.
            h.id && add(key, u, h);
          });
        }
      }
    });
    flush(FREE);
  };

  const leave = () => flush(WAITING, true);

  const register = (config) => {
    configs.set(config.n, config);
    calls.splice(0).forEach(track);
  };

  window.pintag = (slug, data) => track([slug, data, Date.now()]);
  window.pintag.q = { push: track };
  window.pintag.r = register;
  register(config);
  setTimeout(resume);
  addEventListener("online", resume);
  addEventListener("pageshow", resume);
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : resume()));
})(PINTAG_CONFIG);
