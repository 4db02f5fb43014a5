// Reads what forms have made of hostile texts: a line of JSON in, a line of JSON out.
// `node --experimental-vm-modules judge.js <folder of typescript>`
const readline = require("node:readline");
const vm = require("node:vm");
const tagManager = require("./tag_manager.js");
const ts = require(process.argv[2]);

// A page on which a runtime is there already: it notes what is registered and called.
const page = () => {
  const noted = { registered: [], calls: [], injected: [] };
  const pintag = (...words) => noted.calls.push(words);
  pintag.r = (config) => noted.registered.push(config);
  const document = {
    createElement: () => ({}),
    head: { append: (script) => noted.injected.push(script.src) },
  };
  const context = vm.createContext({ pintag, document });
  context.window = context;
  return { context, noted };
};

const judges = {
  script({ text }) {
    const { context, noted } = page();
    const before = Object.keys(context);
    vm.runInContext(text, context);
    noted.added = Object.keys(context).filter((name) => !before.includes(name));
    return noted;
  },
  async module({ text }) {
    const { context, noted } = page();
    const module = new vm.SourceTextModule(text, { context });
    await module.link(() => {
      throw new Error("It imports something");
    });
    await module.evaluate();
    module.namespace.default({ n: 1 });
    noted.exports = Object.keys(module.namespace);
    return noted;
  },
  types({ text }) {
    const file = ts.createSourceFile("x.d.ts", text, ts.ScriptTarget.Latest, true);
    const data = file.statements.find((one) => one.name?.text == "Data");
    const told = (node) => ts.getJSDocCommentsAndTags(node).map((doc) => doc.comment);
    return {
      errors: file.parseDiagnostics.length,
      statements: file.statements.map((one) => one.name?.text ?? one.expression.text),
      fields: data.members.map((one) => [one.name.text, one.type.getText(), !!one.questionToken]),
      told: [...told(data), ...data.members.flatMap(told)],
      tags: [data, ...data.members].flatMap((one) => ts.getJSDocTags(one)).length,
      directives: [file.referencedFiles, file.typeReferenceDirectives, file.libReferenceDirectives]
        .flat().length,
    };
  },
  gtm({ text, permissions, data }) {
    const { context, noted } = page();
    new Function("require", "data", text)(tagManager(context, permissions), data);
    return noted;
  },
};

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const asked = JSON.parse(line);
  let answer;
  try {
    answer = await judges[asked.kind](asked);
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify(answer));
});
