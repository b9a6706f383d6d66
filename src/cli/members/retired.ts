/** A place that is gone for good would be named for ever: whoever hears of it hears how to be told no more. */
export const orRetired = (hint: string, location: string): string =>
  `${hint.replace(/\.$/, '')}; or, if it is retired for good: stateferry leave '${location}'`;
