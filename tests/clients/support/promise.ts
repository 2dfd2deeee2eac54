// What a new schema takes away from those who use the released one, unless the changelog announces it.
import { type Change, CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

/** Paths, such as `Task.title`, that the section "Breaking" of what is not yet released names in backticks. */
export function announced(changelog: string): Set<string> {
  const section = (text: string, heading: string): string => {
    const [, ...after] = `\n${text}`.split(`\n${heading}\n`);
    const level = heading.split(' ')[0] ?? '';
    return after.join('\n').split(`\n${level} `)[0] ?? '';
  };
  const breaking = section(section(changelog, '## Unreleased'), '### Breaking');
  return new Set([...breaking.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));
}

/** Every change that may break a client and is not announced, one line each. */
export async function brokenPromises(released: string, schema: string, changelog: string): Promise<string[]> {
  const changes: Change[] = await diff(buildSchema(released), buildSchema(schema));
  const named = announced(changelog);
  return changes
    .filter((change) => change.criticality.level !== CriticalityLevel.NonBreaking && !named.has(change.path ?? ''))
    .map((change) => `${change.criticality.level} ${change.path}: ${change.message}`);
}
