// The hosted script: the runtime, the same for every event, so its tag has the configuration.
// A tag without one is the site's mistake; it gets a warning and no exception.
try {
  PINTAG_RUNTIME(JSON.parse(document.currentScript.dataset.pintag));
} catch (error) {
  console.warn("pintag:", error);
}
