/**
 * What the engine says while it works. The engine never prints: it emits one of these, and a sink (terminal,
 * plain lines, JSON Lines) chooses the words. Sizes are bytes, times RFC 3339 UTC, durations `…Ms`.
 */
export type FerryEvent =
  /** A stage of a long operation began: `walk`, `capture`, `upload`, `commit`, `download`, `stage`, `doctor`, … */
  | { readonly type: 'stage'; readonly stage: string; readonly detail?: string }
  | {
      readonly type: 'progress';
      readonly stage: string;
      readonly bytesDone: number;
      readonly bytesTotal: number;
      readonly filesDone: number;
      readonly filesTotal: number;
      /** Sealed bytes that the store has acknowledged (push), or that came from it (pull), where they are counted. */
      readonly bytesStored?: number;
      /** False while the walk still finds work, so that totals may grow. */
      readonly totalsKnown: boolean;
    }
  /** Something that knows no numbers goes on: a command of the product, the start of a gateway. */
  | { readonly type: 'underway'; readonly what: string; readonly durationMs: number }
  /** Left out on purpose. */
  | { readonly type: 'omission'; readonly path: string; readonly reason: string }
  /** Failed; also sets the exit code. */
  | {
      readonly type: 'problem';
      readonly path: string;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: 'retry';
      readonly operation: string;
      readonly name: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly message: string;
    }
  /** Something a person should know that is no failure. */
  | {
      readonly type: 'notice';
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
    }
  /** One line of the checklist. */
  | {
      readonly type: 'check';
      readonly check: string;
      readonly ok: boolean;
      readonly expected: string;
      readonly found: string;
    }
  /** Output of a product command that we ran, one event per command. */
  | {
      readonly type: 'command';
      readonly command: string;
      readonly exit: number | null;
      readonly durationMs: number;
      readonly output: string;
    };

export type Emit = (event: FerryEvent) => void;
