// Random inputs within a document: values of arguments, and the variables that stand for them.
import { isEnumType, isInputObjectType, isInputType, isListType, isNonNullType, isRequiredInputField } from 'graphql';

import { ODD_VALUES, SCALARS, split } from './values.mjs';

const VARIABLES = ['a', 'b', 'v', 'on', 'true', 'null', 'query', '_', 'input', 'toString'];

/** Writes tokens into a scope, of an operation or of a fragment, which knows what it uses. */
export class Inputs {
  constructor(schema, random, slips) {
    Object.assign(this, { schema, random, slips });
    this.variables = new Map();
    const types = Object.values(schema.getTypeMap());
    this.inputs = types.filter((type) => isInputType(type) && !type.name.startsWith('__'));
  }

  /** Whether to make a fault here. */
  slip(probability) {
    if (this.slips === 0 || !this.random.chance(probability)) return false;
    this.slips -= 1;
    return true;
  }

  emit(...tokens) {
    this.scope.tokens.push(...tokens);
  }

  /** A scope of its own, of what `write` writes. */
  scoped(write) {
    const outer = this.scope;
    this.scope = { tokens: [], spreads: new Set(), variables: new Set() };
    write();
    const written = this.scope;
    this.scope = outer;
    return written;
  }

  /** A value in a place of `type`; where it may not be constant, sometimes a variable. */
  value(type, hasDefault, isConstant = false, depth = 3) {
    const { random } = this;
    if (this.slip(0.1)) return this.emit(...split(random.pick(ODD_VALUES)));
    if (!isConstant && random.chance(0.3)) return this.emit('$', this.#variable(type, hasDefault));
    if (isNonNullType(type)) return this.#known(type.ofType, isConstant, depth);
    if (random.chance(0.06)) return this.emit('null');
    return this.#known(type, isConstant, depth);
  }

  #known(type, isConstant, depth) {
    const { random } = this;
    if (isListType(type)) {
      if (random.chance(0.2)) return this.value(type.ofType, false, isConstant, depth - 1);
      this.emit('[');
      for (let left = random.below(4); left > 0; left -= 1) this.value(type.ofType, false, isConstant, depth - 1);
      return this.emit(']');
    }
    if (isEnumType(type)) return this.emit(random.pick(type.getValues()).name);
    if (isInputObjectType(type)) return this.#object(type, isConstant, depth);
    return this.emit(random.pick(SCALARS[type.name] ?? ODD_VALUES.filter((text) => split(text).length === 1)));
  }

  #object(type, isConstant, depth) {
    const { random } = this;
    const wanted = (field) => (isRequiredInputField(field) ? !this.slip(0.1) : depth > 0 && random.chance(0.3));
    const fields = random.shuffle(Object.values(type.getFields()).filter(wanted));
    if (fields.length > 0 && this.slip(0.08)) fields.push(random.pick(fields));
    this.emit('{');
    for (const field of fields) {
      this.emit(field.name, ':');
      this.value(field.type, field.defaultValue !== undefined, isConstant, depth - 1);
    }
    if (this.slip(0.05))
      this.emit(random.pick(['unknown', 'Title', 'duedate']), ':', random.pick(['1', 'null', '"x"']));
    this.emit('}');
  }

  /** A variable that may stand in a place of `type`. */
  #variable(type, hasDefault) {
    const { random } = this;
    const known = [...this.variables.keys()].filter((name) => this.variables.get(name).place === String(type));
    const name = known.length > 0 && random.chance(0.4) ? random.pick(known) : this.newVariable(type, hasDefault);
    this.scope.variables.add(name);
    return name;
  }

  newVariable(place, hasDefault) {
    const { random } = this;
    let name = random.pick(VARIABLES);
    if (this.variables.has(name)) name = `v${this.variables.size}`;
    let type = place;
    let needsPreset = false;
    if (isNonNullType(place) && (hasDefault ? random.chance(0.5) : random.chance(0.25))) {
      type = place.ofType;
      needsPreset = !hasDefault;
    } else if (!isNonNullType(place) && random.chance(0.3)) {
      type = { toString: () => `${place}!`, place };
    }
    if (this.slip(0.15)) {
      const other = random.pick(this.inputs);
      type = random.pick([other, place.ofType ?? other, { toString: () => `[${place}]` }, { toString: () => 'Task' }]);
    }
    let preset;
    if ((needsPreset || random.chance(0.15)) && isInputType(place)) {
      const inner = needsPreset ? place.ofType : (type.place ?? place);
      preset = this.scoped(() =>
        needsPreset ? this.#known(inner, true, 1) : this.value(inner, false, true, 1),
      ).tokens;
    }
    this.variables.set(name, { place: String(place), type: String(type).match(/\w+|[[\]!]/g), preset });
    return name;
  }
}
