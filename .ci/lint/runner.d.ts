// What the runner uses of Node.js that the types of Node.js 8 do not have: what they never listed, and what later versions added.
// Nothing of it runs.

declare namespace NodeJS {
  namespace Module {
    function _load(...args: unknown[]): any;
  }

  interface Process {
    _events: { [name: string]: unknown };
    _eventsCount: number;
    _getActiveHandles(): unknown[];
    _getActiveRequests(): unknown[];
    _needImmediateCallback?: boolean;
    _tickCallback(): void;
    binding(name: string): any;
    moduleLoadList: string[];
    reallyExit(code?: number): never;
  }

  interface ProcessVersions {
    icu: string;
  }

  interface Global {
    [name: string]: any;
  }

  interface WriteStream {
    _handle?: { setBlocking?(blocking: boolean): void };
  }
}

interface Buffer {
  latin1Slice(start?: number, end?: number): string;
  utf8Write(text: string, offset?: number, length?: number): number;
}

interface Error {
  code?: string;
}

interface SyntaxError {
  loc?: { line: number, column: number }; // of acorn
}

declare module 'native_module' {
  const native: any;
  export = native;
}

declare module 'net' {
  function _normalizeArgs(args: unknown[]): [any, ((...args: unknown[]) => void) | null];
}

declare module 'http' {
  interface Agent {
    keepAlive: boolean;
    options: { keepAlive?: boolean };
  }
}

declare module 'vm' {
  interface Script {
    cachedData?: Buffer;
    createCachedData?(): Buffer;
  }
}

// A realm's files see it beside require (runner-js/realm.js).
declare const host: any;
declare const WebAssembly: any;
declare const BigInt: any; // Node.js 10
