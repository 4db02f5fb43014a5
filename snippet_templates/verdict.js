// The verdict on a hit's data, as the server's validator would give it: the same errors, in the
// same order and words. What is valid is decided in tracker/rules/fields.py and validation.py; a
// property test (tests/browser/test_verdict.py) compares the two.
//
// One expression: a function (fields, text), of which `fields` are [key, type, required] and
// `text` is the JSON of the data as it is sent. It returns [{field, code, message}, …].
(() => {
  const MOST_CHARACTERS = 1000;
  const MOST_DIGITS = 38;
  const MOST_UNKNOWN = 100;
  const MOST_SHOWN = 100;
  const FIRST_MS = 100000000000; // a Unix time of this size or more is in milliseconds
  const INT64 = 2n ** 63n;
  const FIRST_INSTANT = Date.parse("0001-01-01T00:00:00Z");
  const LAST_SECOND = Date.parse("9999-12-31T23:59:59Z");
  const LABELS = {
    text: "Text",
    boolean: "True/False",
    date: "Date",
    timestamp: "Time stamp",
    integer: "Number",
    decimal: "Number with decimals",
  };
  const WHOLE = /^-?\d+$/;
  const DAY = /^(\d{4})-(\d\d)-(\d\d)$/;
  const MOMENT =
    /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):?(\d\d))?$/;
  const DECIMAL = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

  const refusal = (code) => (message) => [code, message];
  const wrong = refusal("wrong_type");
  const outOfRange = refusal("out_of_range");
  const count = (number) => number.toLocaleString("en-US");

  // -- one function a type, of a value and its JSON: [code, message], or nothing if it is valid

  const text = (value) => {
    if (typeof value != "string") return wrong("Expected a text: send a JSON string.");
    const { length } = [...value]; // code points
    if (length > MOST_CHARACTERS) {
      const limit = `A text has at most ${count(MOST_CHARACTERS)} characters`;
      return ["too_long", `${limit}, this one has ${count(length)}. Shorten it.`];
    }
    if (value.includes("\0")) {
      return ["nul", "A text cannot hold the character NUL: take out \\u0000."];
    }
  };

  const boolean = (value, json) => {
    if (!["true", "false"].includes(unquoted(value, json))) {
      return wrong("Expected true or false: send one of them, bare or as a string.");
    }
  };

  const date = (value) => {
    const parts = typeof value == "string" && DAY.exec(value);
    if (!parts || !isDay(parts)) {
      return wrong("Expected a real date: send a string like 2026-11-23 (year-month-day).");
    }
  };

  const timestamp = (value, json) => {
    const digits = unquoted(value, json);
    if (WHOLE.test(digits)) return int64(digits) || unix(BigInt(digits));
    const expected = "Expected an instant: send a string like 2026-11-23T09:30:00Z, or Unix time.";
    const parts = typeof value == "string" && MOMENT.exec(value);
    if (!parts || !isDay(parts)) return wrong(expected);
    const [hour, minute, second] = parts.slice(4, 7).map(Number);
    const [, , , , , , , fraction = "", zulu, sign, hours, minutes] = parts;
    if (hour > 23 || minute > 59 || second > 59 || hours > 23 || minutes > 59) {
      return wrong(expected);
    }
    // To whole seconds, with what more than six digits of a second round up to.
    const carry = /^999999[5-9]/.test(fraction) ? 1 : 0;
    const local = midnight(parts) + ((hour * 60 + minute) * 60 + second + carry) * 1000;
    if (local > LAST_SECOND) return wrong(expected);
    if (!zulu && !sign) {
      return wrong("A time without an offset is no instant: end it with Z or, say, +01:00.");
    }
    const offset = zulu ? 0 : (hours * 60 + +minutes) * 60000 * (sign == "-" ? -1 : 1);
    if (local - offset < FIRST_INSTANT || local - offset > LAST_SECOND) {
      return outOfRange("An instant lies in the years 1 to 9999 of UTC.");
    }
  };

  const integer = (value, json) => {
    const digits = unquoted(value, json);
    if (WHOLE.test(digits)) return int64(digits);
    return wrong("Expected a whole number: send digits only, without point or exponent.");
  };

  const decimal = (value, json) => {
    const parts = DECIMAL.exec(unquoted(value, json));
    if (!parts) return wrong("Expected a number: send digits, with a point before any decimals.");
    // Counted as it is written out without an exponent, but never written out.
    const [, whole, fraction = "", exponent = "0"] = parts;
    const power = Number(exponent) - fraction.length;
    const digits = (whole + fraction).replace(/^0+/, "");
    const before = digits ? digits.length + power : 1;
    const written = Math.max(before, 1) + Math.max(-power, 0);
    // Of a zero nothing is written out; but beyond this power of ten it can't be read, either.
    const unread = () =>
      power > 1e19 || BigInt(exponent) - BigInt(fraction.length) >= 10n ** 18n;
    if (written > MOST_DIGITS || (!digits && unread())) {
      const limit = `A number has at most ${MOST_DIGITS} digits, written out`;
      return ["too_many_digits", `${limit}: round it or send a text.`];
    }
  };

  const PARSERS = { text, boolean, date, timestamp, integer, decimal };

  // -- what they share

  const unquoted = (value, json) => (typeof value == "string" ? value : json);

  // Of the parts of a date, at midnight of UTC, in milliseconds. Date.UTC takes the years before
  // 100 for those of the last century.
  const midnight = ([, year, month, day]) =>
    new Date(Date.UTC(2000, month - 1, day)).setUTCFullYear(year, month - 1, day);

  const isDay = (parts) => {
    const found = new Date(midnight(parts));
    return +parts[1] > 0 && found.getUTCMonth() == parts[2] - 1 && found.getUTCDate() == parts[3];
  };

  const int64 = (digits) => {
    // Counted first: a number of a megabyte must not be computed.
    const size = digits.replace(/^[-0]+/, "").length;
    const number = size <= 19 ? BigInt(digits) : INT64;
    if (number < -INT64 || number >= INT64) {
      return outOfRange(`A whole number lies between ${-INT64} and ${INT64 - 1n}.`);
    }
  };

  const unix = (number) => {
    const size = number < 0n ? -number : number;
    const ms = size >= FIRST_MS ? number : number * 1000n;
    if (ms < FIRST_INSTANT || ms > LAST_SECOND + 999) {
      return outOfRange(
        "An instant lies in the years 1 to 9999: send Unix seconds or milliseconds.",
      );
    }
  };

  // Numbers are judged as they are written. What a page made by JSON.rawJSON may be more than a
  // number of JavaScript's holds; browsers that have it tell the source of each value.
  const read = (text) => {
    const sources = new Map();
    const values = JSON.parse(text, function (key, value, { source } = {}) {
      if (source !== undefined) sources.set(this, (sources.get(this) || new Map()).set(key, source));
      return value;
    });
    const known = sources.get(values) || new Map();
    const json = (key) => (known.has(key) ? known.get(key) : JSON.stringify(values[key]));
    return { values, json };
  };

  const unknown = (keys) => {
    const message = "This version has no such field: take it out, or add it to the definition.";
    const errors = keys.slice(0, MOST_UNKNOWN).map((key) => ({
      field: [...key].slice(0, MOST_SHOWN).join("").replaceAll("\0", "\ufffd"),
      code: "unknown_field",
      message,
    }));
    const more = keys.length - MOST_UNKNOWN;
    if (more > 0) {
      const rest = `And ${count(more)} more fields that this version does not have.`;
      errors.push({ field: "", code: "unknown_field", message: rest });
    }
    return errors;
  };

  return (fields, text) => {
    const { values, json } = read(text);
    if (!values || typeof values != "object" || Array.isArray(values)) {
      const message = 'The data is not an object: send one like {"source": "Website"}.';
      return [{ field: "", code: "not_an_object", message }];
    }
    const sent = new Map(Object.entries(values));
    const errors = [];
    for (const [field, type, required] of fields) {
      const value = sent.get(field);
      if (value !== undefined && value !== null) {
        const [code, message] = PARSERS[type](value, json(field)) || [];
        if (code) errors.push({ field, code, message });
      } else if (required && field != "source") {
        const message = `\`${field}\` is required: send a value of the type ${LABELS[type]}.`;
        errors.push({ field, code: "required", message });
      }
    }
    const keys = new Set(fields.map(([key]) => key));
    return [...errors, ...unknown([...sent.keys()].filter((key) => !keys.has(key)))];
  };
})()
