// Chance; a document's tokens altered by it; and their text.
import { ODD_VALUES, split } from './values.mjs';

/** Numbers that are the same for the same seed (splitmix32 over a hash of the seed's text). */
export class Random {
  #state = 0x811c9dc5;

  constructor(seed) {
    for (const byte of Buffer.from(String(seed))) this.#state = Math.imul(this.#state ^ byte, 0x01000193);
  }

  #next() {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  /** 0 to `bound` - 1. */
  below(bound) {
    return this.#next() % bound;
  }

  /** Whether something of this probability happens. */
  chance(probability) {
    return this.#next() / 2 ** 32 < probability;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  shuffle(list) {
    for (let to = list.length - 1; to > 0; to -= 1) {
      const from = this.below(to + 1);
      [list[from], list[to]] = [list[to], list[from]];
    }
    return list;
  }
}

/** What is no token, or ends in the middle of one. */
const BROKEN = [
  '00',
  '01',
  '1.',
  '.5',
  '1e',
  '1a',
  '-',
  '+1',
  '0xF',
  '1_000',
  '.',
  '..',
  '....',
  '?',
  ';',
  '%',
  '\\',
  "'x'",
  'é',
  '\u0000',
  '"',
  '"x',
  '"x\n"',
  '"""',
  '"""x',
  String.raw`"\x"`,
  String.raw`"\u12"`,
  String.raw`"\uD83D"`,
  String.raw`"\u{110000}"`,
  String.raw`"\u{}"`,
  String.raw`"\u{0000000041}"`,
];
const PUNCTUATORS = ['{', '}', '(', ')', '[', ']', ':', '!', '$', '=', '@', '...', '|', '&'];

/** The same document after a few changes of its tokens. */
export function mutated(tokens, random) {
  const changed = [...tokens];
  for (let left = 1 + random.below(3); left > 0 && changed.length > 0; left -= 1) {
    const at = random.below(changed.length);
    const other = random.below(changed.length);
    switch (random.below(10)) {
      case 0:
        changed.splice(at, 1);
        break;
      case 1:
        changed.splice(at, 0, changed[at]);
        break;
      case 2:
        [changed[at], changed[other]] = [changed[other], changed[at]];
        break;
      case 3:
        changed[at] = changed[other];
        break;
      case 4:
        changed[at] = renamed(changed[at], random);
        break;
      case 5:
        changed.splice(at, 0, random.pick(PUNCTUATORS));
        break;
      case 6:
        changed.splice(at, 1, ...split(random.pick(ODD_VALUES)));
        break;
      case 7:
        changed.splice(at, 1, random.pick(BROKEN));
        break;
      case 8:
        changed.splice(at, 1 + random.below(6));
        break;
      default:
        changed.splice(other, 0, ...changed.slice(at, at + 1 + random.below(6)));
    }
  }
  return changed;
}

function renamed(name, random) {
  if (!/^\w+$/.test(name)) return name;
  const others = [
    name.toLowerCase(),
    name.toUpperCase(),
    `${name}x`,
    name.slice(0, -1) || 'x',
    'id',
    'Task',
    'String',
    'on',
  ];
  return random.pick(others);
}

/** A document in pieces: its tokens, with what stands in between. Half of them as people write, half as they may. */
export function spaced(tokens, random) {
  const isPlain = random.chance(0.5);
  const isBare = (token) => /^[{}()[\]:!$=@|&]$/.test(token);
  const odd = ['\n', '\n\n', '\r\n', '\r', '\t', ',', ', ', '  ', '\uFEFF', '#\n', '# a "comment" { é\n', '#x\r'];
  const pieces = tokens.flatMap((token, nth) => {
    const mayTouch = nth === 0 || isBare(token) || isBare(tokens[nth - 1]);
    if (isPlain) return mayTouch ? [token] : [random.pick([' ', ' ', '\n']), token];
    return mayTouch && random.chance(0.35) ? [token] : [random.chance(0.7) ? ' ' : random.pick(odd), token];
  });
  return random.chance(0.1) ? [...pieces, random.pick(odd)] : pieces;
}

/** A small document made of some of these pieces that still `fails`. */
export async function shrunk(pieces, fails) {
  let left = pieces;
  const without = async (from, to) => {
    const rest = [...left.slice(0, from), ...left.slice(to)];
    if (to > left.length || !(await fails(rest.join('')))) return false;
    left = rest;
    return true;
  };
  for (let before = Infinity; left.length < before;) {
    before = left.length;
    for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < left.length;) if (!(await without(from, from + size))) from += size;
    }
    // Brackets go together, with a word before them.
    for (let from = 0; from < left.length; from += 1) {
      const end = closing(left, from);
      if (end > from)
        (await without(from, end)) || (await without(Math.max(0, from - 2), end)) || (await without(from - 1, end));
    }
  }
  return left.join('');
}

/** Behind the bracket that closes the one at `from`; `from` where there is none. */
function closing(pieces, from) {
  let open = 0;
  for (let at = from; at < pieces.length; at += 1) {
    if ('{[('.includes(pieces[at])) open += 1;
    if ('}])'.includes(pieces[at])) open -= 1;
    if (open === 0) return at === from ? from : at + 1;
  }
  return from;
}
