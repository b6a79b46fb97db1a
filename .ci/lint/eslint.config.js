'use strict';

// What `make lint-js` asks of the runner and its tests. Node.js 8 reads them, so the language is ES2017.

const js = require('@eslint/js');

const readonly = names => Object.assign({}, ...names.split(' ').map(name => ({ [name]: 'readonly' })));

const node8 = 'require module exports __dirname __filename process global Buffer console ' +
  'setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate SharedArrayBuffer Atomics';

const later = 'AbortController AbortSignal BroadcastChannel CompressionStream DecompressionStream EventSource ' +
  'FinalizationRegistry MessageChannel Response WebSocket crypto fetch';

module.exports = [
  { ignores: ['**/node_modules/**', '**/build/**'] },
  js.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: { ecmaVersion: 2017, sourceType: 'commonjs', globals: readonly(node8) },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // Without these a fault is easy to overlook.
      eqeqeq: 'error',
      'array-callback-return': 'error',
      'default-case-last': 'error',
      'no-caller': 'error',
      'no-constructor-return': 'error',
      'no-eval': 'error',
      'no-extend-native': 'error',
      'no-implicit-coercion': 'error',
      'no-implied-eval': 'error',
      'no-lonely-if': 'error',
      'no-self-compare': 'error',
      'no-shadow': ['error', { builtinGlobals: false, hoist: 'functions' }],
      'no-template-curly-in-string': 'error',
      'no-throw-literal': 'error',
      'no-undef-init': 'error',
      'no-unreachable-loop': 'error',
      'no-unused-expressions': 'error',
      'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
      'no-useless-call': 'error',
      'no-useless-concat': 'error',
      'no-useless-return': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': ['error', { destructuring: 'all' }],
      strict: ['error', 'global'],
      yoda: 'error',
      'max-len': ['error', { code: 120 }],
      // ES2017 has no catch without a name, and no cause of an error.
      'no-unused-vars': ['error', { caughtErrors: 'none', args: 'after-used' }],
      'preserve-caught-error': 'off',
    },
  },
  {
    // A realm's files see `host` beside require (realm.js), and WebAssembly is the realm's own.
    files: ['runner-js/realm/*.js'],
    languageOptions: { globals: readonly('host WebAssembly BigInt') },
  },
  {
    files: ['runner-js/globals.js'],
    languageOptions: { globals: readonly('WebAssembly') },
  },
  {
    // Tests hold functions' code and tables of one row a line.
    files: ['runner-js/test/**/*.js'],
    rules: { 'max-len': 'off' },
  },
  {
    // Programs that later versions of Node.js run.
    files: ['runner-js/test/async/*.js'],
    languageOptions: { globals: readonly(later) },
  },
];
