// What TypeScript says of a text, and whether generated code gives types up.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';

/** The errors that tsc finds in each of these texts, which it is given two folders below: `3: error TS2551: …`. */
export async function typeErrors(...texts: string[]): Promise<string[][]> {
  const folder = await mkdtemp('generated/check-');
  try {
    await Promise.all(texts.map((text, index) => writeFile(join(folder, `text-${index}.ts`), text)));
    const project = { extends: '../../tsconfig.json', include: ['*.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
    const output = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], (error, stdout, stderr) => {
        // 1 and 2 are the exit codes of tsc where it has found errors.
        if (!error || error.code === 1 || error.code === 2) resolve(stdout);
        else reject(new Error(`tsc did not run: ${stderr}`, { cause: error }));
      });
    });
    const errors: string[][] = texts.map(() => []);
    for (const line of output.split('\n').filter((each) => each.includes('error TS'))) {
      const [, index, place, problem] = /text-(\d+)\.ts\((\d+),\d+\): (.*)$/.exec(line) ?? [];
      const ofText = errors[Number(index)];
      if (!ofText) throw new Error(`an error outside the texts: ${line}`);
      ofText.push(`${place}: ${problem}`);
    }
    return errors;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The lines of a TypeScript file on which the type `any` stands; in comments it may. */
export async function linesWithAny(path: string): Promise<number[]> {
  return linesWithAnyIn(await readFile(path, 'utf8'));
}

export function linesWithAnyIn(text: string): number[] {
  const source = ts.createSourceFile('text.ts', text, ts.ScriptTarget.Latest, true);
  const lines: number[] = [];
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      lines.push(source.getLineAndCharacterOfPosition(node.getStart()).line + 1);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return lines;
}
