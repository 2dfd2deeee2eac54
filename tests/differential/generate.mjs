// Random documents of a schema, as lists of tokens: good ones, and ones with slips in them.
import {
  GraphQLNonNull,
  GraphQLString,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isLeafType,
  isRequiredArgument,
} from 'graphql';

import { Inputs } from './inputs.mjs';
import { ODD_VALUES, STRINGS, split } from './values.mjs';

/** Names that are words of the language elsewhere, and plain ones; few, so that they meet. */
const ALIASES = ['a', 'b', 'x', 'id', 'title', 'on', 'query', 'true', 'null', 'fragment', '_', '__x'];
const NAMES = ['A', 'B', 'query', 'mutation', 'fragment', 'type', 'true', '_', 'C'];
/** The type of the argument of `__type`. */
const NAME = new GraphQLNonNull(GraphQLString);

/** One document of a schema. Each of its `slips` is a fault at the next place that offers itself. */
export class Document extends Inputs {
  constructor(schema, random, slips = 0) {
    super(schema, random, slips);
    this.fragments = [];
    this.selected = new Set();
    this.asksForSchema = true;
    // What stays below taskql's limits.
    this.rooms = { selections: 45, aliases: 25, directives: 15 };
    this.composites = Object.values(schema.getTypeMap()).filter(isCompositeType);
  }

  /** Its tokens. */
  tokens() {
    const { random } = this;
    const count = random.chance(0.8) ? 1 : 2 + random.below(2);
    const isNamed = count > 1 || random.chance(0.6);
    const operations = Array.from({ length: count }, (_, nth) => this.#operation(isNamed ? NAMES[nth] : undefined));
    if (this.slip(0.1)) this.#fragment(random.pick(this.composites), 2);
    const definitions = [
      ...operations.map((one) => this.#operationTokens(one)),
      ...this.fragments.map((one) => one.written),
    ];
    if (this.slip(0.05)) definitions.push(random.pick(definitions));
    if (this.slip(0.03)) definitions.push(split('type T { a: Int }'));
    return random.shuffle(definitions).flat();
  }

  /** The fields to choose from. */
  fieldsOf(type) {
    return type.getFields ? Object.values(type.getFields()) : [];
  }

  /** Arguments for a field, by their names: each writes its value. */
  argumentsOf(field) {
    const { random } = this;
    const given = field.args.filter((one) => (isRequiredArgument(one) ? !this.slip(0.1) : random.chance(0.3)));
    // DELIBERATE_DIFFERENCES.nullIncludeDeprecated
    const typeOf = ({ name, type }) => (name === 'includeDeprecated' ? new GraphQLNonNull(type) : type);
    return new Map(given.map((one) => [one.name, () => this.value(typeOf(one), one.defaultValue !== undefined)]));
  }

  /** An alias for a field, or none. Fields that are selected with other arguments need one, mostly. */
  aliasFor(field) {
    const { random } = this;
    if (this.selected.has(field) && field.args.length > 0 && random.chance(0.9)) return `r${this.rooms.aliases}`;
    this.selected.add(field);
    return random.chance(0.05) ? random.pick(ALIASES) : undefined;
  }

  #operation(name) {
    const { random, schema } = this;
    const kind = this.kind();
    const type = {
      query: schema.getQueryType(),
      mutation: schema.getMutationType(),
      subscription: schema.getSubscriptionType(),
    }[kind];
    const scope = this.scoped(() => this.#selections(type, 5, kind === 'subscription'));
    const given = this.slip(0.05) ? random.pick([undefined, NAMES[0]]) : name;
    return { kind, name: given, scope };
  }

  /** What stands first in a selection set. */
  begin() {}

  /** What an operation is. */
  kind() {
    return this.random.chance(0.72) ? 'query' : this.random.chance(0.7) ? 'mutation' : 'subscription';
  }

  #operationTokens({ kind, name, scope }) {
    const { random } = this;
    const names = new Set();
    const seen = new Set();
    const collect = ({ variables, spreads }) => {
      for (const variable of variables) names.add(variable);
      for (const spread of spreads) {
        if (seen.has(spread)) continue;
        seen.add(spread);
        const fragment = this.fragments.find((one) => one.name === spread);
        if (fragment?.scope) collect(fragment.scope);
      }
    };
    collect(scope);
    const defined = random.shuffle([...names]);
    if (this.slip(0.15)) defined.pop();
    if (this.slip(0.1)) defined.push(this.newVariable(random.pick(this.inputs), false));
    if (this.slip(0.05)) defined.push(random.pick([...defined, this.newVariable(random.pick(this.inputs), false)]));
    const header = this.scoped(() => {
      if (name !== undefined) this.emit(name);
      if (defined.length > 0) {
        this.emit('(');
        for (const variable of defined) {
          const { type, preset } = this.variables.get(variable);
          this.#description(0.02);
          this.emit('$', variable, ':', ...type, ...(preset ? ['=', ...preset] : []));
          if (this.slip(0.03)) this.emit('@', random.pick(['skip', 'unknown', 'deprecated']), ...split('(if: true)'));
        }
        this.emit(')');
      }
      if (this.slip(0.05)) this.#directive();
    }).tokens;
    const isShort = kind === 'query' && header.length === 0 && random.chance(0.5);
    const before = this.scoped(() => {
      if (!isShort || this.slip(0.1)) this.#description(0.03);
      if (!isShort) this.emit(kind);
    }).tokens;
    return [...before, ...header, ...scope.tokens];
  }

  #description(probability) {
    if (this.random.chance(probability)) this.emit(this.random.pick(STRINGS));
  }

  #fragment(type, depth) {
    const { random } = this;
    let name = `F${this.fragments.length}`;
    if (random.chance(0.1)) name = random.pick(['query', 'null', 'true', 'fragment']);
    if (this.fragments.some((one) => one.name === name)) name = `G${this.fragments.length}`;
    if (this.slip(0.03)) name = random.pick(['on', 'F0']);
    const fragment = { name, type };
    this.fragments.push(fragment);
    fragment.scope = this.scoped(() => this.#selections(type, depth));
    const header = this.scoped(() => {
      this.#description(0.03);
      const wrong = this.slip(0.1) ? random.pick(['Nothing', 'Int', 'TaskSort', 'CreateTaskInput']) : undefined;
      this.emit('fragment', name, 'on', wrong ?? type.name);
      if (this.slip(0.05)) this.#directive();
    });
    fragment.written = [...header.tokens, ...fragment.scope.tokens];
    return name;
  }

  #selections(type, depth, isSubscription = false) {
    const { random } = this;
    this.emit('{');
    this.begin(type);
    const isSingle = isSubscription && !this.slip(0.3);
    const count = isSingle ? 1 : 1 + random.below(4);
    for (let nth = 0; nth < count; nth += 1) {
      const kind = random.below(100);
      if (kind < 70 || depth <= 0 || this.rooms.selections <= 0) this.#field(type, depth, isSubscription);
      else if (kind < 85) this.#inlineFragment(type, depth, isSingle);
      else this.#spread(type, depth, isSingle);
    }
    if (this.slip(0.02)) this.emit(random.pick(['...', ',', '{}', '@skip(if: true)']));
    this.emit('}');
  }

  #field(type, depth, isSubscription) {
    const { random, schema } = this;
    this.rooms.selections -= 1;
    const all = this.fieldsOf(type);
    const isDeep = depth > 0 && this.rooms.selections > 0;
    const possible = all.filter((field) => isDeep || isLeafType(getNamedType(field.type)));
    const isRoot = type === schema.getQueryType() && this.asksForSchema;
    const wantsMeta = isSubscription ? this.slip(0.2) : random.chance(0.08);
    if (this.slip(0.1)) {
      this.emit(random.pick(['nothing', `${random.pick(all)?.name ?? 'id'}s`, '__nothing', 'Title']));
    } else if (possible.length === 0 || wantsMeta) {
      this.#meta(type, depth, isRoot && isDeep);
    } else {
      const field = random.pick(possible);
      this.#alias(this.aliasFor(field));
      this.emit(field.name);
      this.#arguments(field);
      this.#directives();
      this.#selectionsOf(field.type, depth);
    }
  }

  #alias(alias) {
    if (alias === undefined || this.rooms.aliases === 0) return;
    this.rooms.aliases -= 1;
    this.emit(alias, ':');
  }

  #meta(type, depth, isRoot) {
    const { random, schema } = this;
    if (random.chance(0.2)) this.#alias(random.pick(['__x', 'true', '_']));
    if (!isRoot || random.chance(0.3)) {
      this.emit('__typename');
      if (this.slip(0.3)) this.emit(...split(random.pick(['(x: 1)', '{ x }', '@unknown'])));
      else this.#directives();
    } else if (random.chance(0.5)) {
      this.emit('__schema');
      if (this.slip(0.1)) this.emit(...split('(x: 1)'));
      this.#selections(schema.getType('__Schema'), Math.min(depth, 3));
    } else {
      this.emit('__type');
      if (!this.slip(0.15)) {
        this.emit('(', 'name', ':');
        if (random.chance(0.4)) this.value(NAME, false);
        else this.emit(random.pick(['"Task"', '"Query"', '"Nothing"', '"TaskSort"', '"Node"']));
        this.emit(')');
      }
      this.#selections(schema.getType('__Type'), Math.min(depth, 3));
    }
  }

  #selectionsOf(type, depth) {
    const named = getNamedType(type);
    if (isLeafType(named)) {
      if (this.slip(0.05)) this.emit('{', '__typename', '}');
    } else if (this.slip(0.08)) {
      if (this.random.chance(0.5)) this.emit('{', '}');
    } else {
      this.#selections(named, depth - 1);
    }
  }

  #arguments(field) {
    const { random } = this;
    const given = random.shuffle([...this.argumentsOf(field)]);
    if (given.length > 0 && this.slip(0.08)) given.push(random.pick(given));
    if (this.slip(0.05))
      given.push([random.pick(['unknown', 'ID', 'First']), () => this.emit(random.pick(ODD_VALUES))]);
    if (given.length === 0 && !this.slip(0.02)) return;
    this.emit('(');
    for (const [name, write] of given) {
      this.emit(name, ':');
      write();
    }
    this.emit(')');
  }

  #directives() {
    if (this.rooms.directives > 0 && this.random.chance(0.08)) this.#directive();
    if (this.slip(0.05))
      this.emit('@', this.random.pick(['unknown', 'deprecated', 'specifiedBy', 'oneOf', 'defer', 'Skip']));
  }

  #directive() {
    const { random, schema } = this;
    this.rooms.directives -= 1;
    const name = random.pick(['skip', 'include']);
    this.emit('@', name);
    if (!this.slip(0.1)) {
      const [condition] = schema.getDirective(name).args;
      this.emit('(', this.slip(0.05) ? 'unless' : 'if', ':');
      this.value(condition.type, false);
      this.emit(')');
    }
    if (this.slip(0.1)) this.emit('@', name, ...split('(if: true)'));
  }

  #inlineFragment(type, depth, isSingle) {
    const { random } = this;
    this.rooms.selections -= 1;
    this.emit('...');
    let inner = type;
    if (random.chance(0.6)) {
      inner = this.#condition(type);
      this.emit('on', this.slip(0.1) ? random.pick(['Nothing', 'Int', 'CreateTaskInput', 'Query']) : inner.name);
    }
    if (!isSingle) this.#directives();
    this.#selections(inner, depth - 1, isSingle);
  }

  /** A type whose objects may be of `type`. */
  #condition(type) {
    const { random, composites, schema } = this;
    if (this.slip(0.1)) return random.pick(composites);
    const possible = (one) => (isAbstractType(one) ? schema.getPossibleTypes(one) : [one]);
    return random.pick(composites.filter((other) => possible(other).some((one) => possible(type).includes(one))));
  }

  #spread(type, depth, isSingle) {
    const { random } = this;
    this.rooms.selections -= 1;
    let name;
    if (this.slip(0.1)) name = random.pick(['Nothing', ...this.fragments.map((one) => one.name)]);
    else {
      const condition = this.#condition(type);
      const known = this.fragments.filter((one) => one.scope && one.type === condition && !isSingle);
      name = known.length > 0 && random.chance(0.6) ? random.pick(known).name : undefined;
      // A fragment is written beside what spreads it.
      name ??= isSingle ? this.#single(condition) : this.#fragment(condition, Math.min(depth - 1, 2));
    }
    this.emit('...', name);
    this.scope.spreads.add(name);
    if (!isSingle) this.#directives();
  }

  /** A fragment for the root of a subscription. */
  #single(type) {
    const name = `S${this.fragments.length}`;
    const fragment = { name, type };
    this.fragments.push(fragment);
    fragment.scope = this.scoped(() => this.#selections(type, 2, type === this.schema.getSubscriptionType()));
    fragment.written = ['fragment', name, 'on', type.name, ...fragment.scope.tokens];
    return name;
  }
}

/** A document that asks for nothing but the schema, and for the name of whatever has one. */
export class Introspection extends Document {
  kind() {
    return 'query';
  }

  fieldsOf(type) {
    return type === this.schema.getQueryType() ? [] : super.fieldsOf(type);
  }

  aliasFor(field) {
    // What is compared by its name keeps it.
    return ['description', 'types', 'directives', 'possibleTypes'].includes(field.name)
      ? undefined
      : super.aliasFor(field);
  }

  begin(type) {
    if (type.name.startsWith('__') && type.getFields().name) this.emit('name');
  }
}
