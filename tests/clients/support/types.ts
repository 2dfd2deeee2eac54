// Types that compare types, for checks that tsc makes.

/** `true` where two types are the same, `false` where they only fit each other. */
export type Same<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

export type TaskPriority = 'LOW' | 'MEDIUM' | 'HIGH';
