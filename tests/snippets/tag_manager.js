// What the sandbox of Google Tag Manager gives to a template, as far as ours needs it, with the
// checks of its permissions. `tagManager(window, permissions)` is the sandbox's `require`.
function tagManager(window, permissions) {
  const granted = (name) =>
    permissions.find((one) => one.instance.key.publicId == name).instance.param[0].value.listItem;
  const allow = (path, ...rights) => {
    const entry = granted("access_globals").find((one) => one.mapValue[0].string == path);
    const names = entry ? entry.mapKey.map((key) => key.string) : [];
    for (const right of rights)
      if (!entry || entry.mapValue[names.indexOf(right)].boolean !== true)
        throw new Error(`No permission to ${right} ${path}`);
  };
  const copy = (value) => (value === undefined ? value : JSON.parse(JSON.stringify(value)));
  const apis = {
    getTimestampMillis: () => Date.now(),
    copyFromWindow(path) {
      allow(path, "read");
      const found = window[path];
      return typeof found == "function" ? found : copy(found);
    },
    callInWindow(path, ...given) {
      allow(path, "execute");
      return window[path](...given.map(copy));
    },
    createArgumentsQueue(name, list) {
      allow(name, "read", "write");
      allow(list, "read", "write");
      const [parent, child] = list.split(".");
      window[name] = function () {
        window[parent][child].push(arguments);
      };
      window[parent][child] = window[parent][child] || [];
      return window[name];
    },
    injectScript(address, done, failed) {
      if (!granted("inject_script").some((one) => one.string == address))
        throw new Error(`No permission to inject ${address}`);
      const script = window.document.createElement("script");
      Object.assign(script, { async: true, src: address, onload: done, onerror: failed });
      window.document.head.append(script);
    },
  };
  return (name) => {
    if (!apis[name]) throw new Error(`There is no ${name}`);
    return apis[name];
  };
}
if (typeof module == "object") module.exports = tagManager;
