/** Names of runs that stand in one table. */
import { resolve, sep } from 'node:path';

/**
 * The name of each of these folders, in their order. Folders of one name in different places are named with as many of the
 * folders around them, as `first/trial` and `second/trial`, as tell them apart.
 */
export function runNames(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => resolve(folder).split(sep));
  const tail = (path: readonly string[], depth: number): string => path.slice(-depth).join('/');
  const alike = new Map<string, string[][]>();
  for (const path of paths) alike.set(tail(path, 1), [...(alike.get(tail(path, 1)) ?? []), path]);
  const depthApart = (members: readonly (readonly string[])[]): number => {
    const longest = Math.max(...members.map((path) => path.length));
    let depth = 1;
    while (depth < longest && new Set(members.map((path) => tail(path, depth))).size < members.length) depth += 1;
    return depth;
  };
  const depths = new Map([...alike].map(([name, members]) => [name, depthApart(members)]));
  return paths.map((path) => tail(path, depths.get(tail(path, 1))!));
}
