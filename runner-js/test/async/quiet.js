'use strict';

// What modules of Node.js export, in any of the versions, that leaves nothing at work: it is over when it returns, or goes on in promises and ticks, which
// the runner lets end within the call. Names that end in Sync need not stand here.

const words = text => text.trim().split(/\s+/);

const quiet = {
  // AsyncLocalStorage has a hook before Node.js 24, which is noticed
  async_hooks: words(`
    executionAsyncId triggerAsyncId AsyncResource currentId triggerId runInAsyncIdScope newUid initTriggerId
    emitInit emitBefore emitAfter emitDestroy AsyncLocalStorage executionAsyncResource asyncWrapProviders`),
  assert: words(`
    prototype fail AssertionError ok equal notEqual deepEqual deepStrictEqual notDeepEqual notDeepStrictEqual
    strictEqual notStrictEqual throws rejects doesNotThrow doesNotReject ifError strict match doesNotMatch
    CallTracker partialDeepStrictEqual Assert`),
  // what lies in memory is read in promises
  buffer: words('Buffer SlowBuffer constants transcode isUtf8 isAscii btoa atob resolveObjectURL Blob File'),
  child_process: words('_forkChild'),
  console: words(`
    _stdout _stderr _times _stdoutErrorHandler _stderrErrorHandler log debug info warn error dir time timeEnd trace
    assert clear count countReset group groupCollapsed groupEnd Console dirxml table markTimeline profile profileEnd
    timeline timelineEnd timeStamp context timeLog createTask`),
  crypto: words(`
    constants _toBuf Hash Hmac Cipher Cipheriv Decipher Decipheriv Sign Verify publicEncrypt publicDecrypt
    privateEncrypt privateDecrypt DiffieHellman DiffieHellmanGroup ECDH createHash createCipher createCipheriv
    createDecipher createDecipheriv createDiffieHellman getDiffieHellman createDiffieHellmanGroup createECDH
    createHmac createSign createVerify Certificate setEngine getCiphers getHashes getCurves timingSafeEqual
    createCredentials Credentials createPrivateKey createPublicKey createSecretKey getCipherInfo randomUUID getFips
    setFips hash KeyObject X509Certificate secureHeapUsed webcrypto subtle getRandomValues subtle.importKey
    subtle.exportKey webcrypto.getRandomValues webcrypto.randomUUID webcrypto.CryptoKey randomUUIDv7`),
  // and there is no worker but by fork
  cluster: words('_events Worker workers settings setupMaster disconnect setupPrimary'),
  dns: words('setServers getServers getDefaultResultOrder setDefaultResultOrder promises'),
  domain: words('_stack'),
  // is called by whoever emits
  events: words(`
    prototype EventEmitter init listenerCount addAbortListener getEventListeners getMaxListeners
    EventEmitterAsyncResource setMaxListeners`),
  fs: words('constants Stats _toUnixTimestamp unwatchFile SyncWriteStream Dirent Dir promises'),
  http: words(`
    _connectionListener METHODS STATUS_CODES globalAgent IncomingMessage OutgoingMessage ServerResponse
    validateHeaderName validateHeaderValue setMaxIdleHTTPParsers CloseEvent MessageEvent setGlobalProxyFromEnv`),
  http2: words(`
    constants getDefaultSettings getPackedSettings getUnpackedSettings Http2ServerResponse Http2ServerRequest`),
  https: words('globalAgent'),
  inspector: words('close url waitForDebugger console Network NetworkResources DOMStorage open'),
  module: words(`
    prototype builtinModules _cache _pathCache _extensions globalPaths wrapper wrap _debug _findPath
    _nodeModulePaths _resolveLookupPaths _load _resolveFilename runMain _initPaths _preloadModules Module _stat
    isBuiltin _readPackage createRequire syncBuiltinESMExports findSourceMap SourceMap constants enableCompileCache
    findPackageJSON flushCompileCache stripTypeScriptTypes getCompileCacheDir getSourceMapsSupport
    setSourceMapsSupport`),
  net: words(`
    _normalizeArgs _setSimultaneousAccepts isIP isIPv4 isIPv6 BlockList SocketAddress getDefaultAutoSelectFamily
    setDefaultAutoSelectFamily getDefaultAutoSelectFamilyAttemptTimeout setDefaultAutoSelectFamilyAttemptTimeout`),
  os: words(`
    arch cpus endianness freemem homedir hostname loadavg networkInterfaces platform release tmpdir totalmem type
    userInfo uptime getNetworkInterfaces tmpDir constants availableParallelism getPriority setPriority version
    machine`),
  path: words(`
    resolve normalize isAbsolute join relative _makeLong dirname basename extname format parse win32 posix
    toNamespacedPath matchesGlob`),
  perf_hooks: words(`
    performance constants performance.nodeTiming performance.now performance.mark performance.measure
    performance.clearMarks performance.clearMeasures performance.clearGC performance.clearFunctions
    performance.clearEntries performance.timerify performance.getEntries performance.getEntriesByType
    performance.getEntriesByName Performance PerformanceEntry PerformanceMark PerformanceMeasure
    PerformanceObserverEntryList PerformanceResourceTiming createHistogram performance.clearResourceTimings
    performance.setResourceTimingBufferSize performance.toJSON performance.eventLoopUtilization
    performance.markResourceTiming performance.addEventListener performance.removeEventListener
    performance.dispatchEvent eventLoopUtilization timerify`),
  // what a worker keeps of it (trimprocess.js)
  process: words(`
    moduleLoadList versions release argv execArgv env features cwd uptime _events _fatalException config emitWarning
    nextTick _tickCallback _tickDomainCallback hrtime _immediateCallback allowedNodeEnvironmentFlags`),
  punycode: words('ucs2 decode encode toASCII toUnicode'),
  querystring: words('unescapeBuffer unescape escape stringify encode parse decode'),
  readline: words('clearLine clearScreenDown cursorTo moveCursor promises'),
  // reads what a stream gives
  repl: words('writer _builtinLibs REPLServer start Recoverable isValidSyntax builtinModules'),
  // goes on in ticks and promises
  stream: words(`
    prototype super_ Readable Writable Duplex Transform PassThrough Stream _isUint8Array _uint8ArrayToBuffer
    isDestroyed isDisturbed isErrored isReadable isWritable duplexPair addAbortSignal finished destroy
    setDefaultHighWaterMark getDefaultHighWaterMark promises _isArrayBufferView`),
  string_decoder: words('StringDecoder'),
  timers: words('unenroll clearTimeout clearInterval clearImmediate promises'),
  tls: words(`
    getCiphers convertNPNProtocols convertALPNProtocols checkServerIdentity parseCertString createSecureContext
    SecureContext createSecurePair rootCertificates getCACertificates setDefaultCACertificates
    getCertificateCompressionAlgorithms`),
  tty: words('isatty ReadStream WriteStream'),
  url: words(`
    Url parse resolve resolveObject format URL URLSearchParams domainToASCII domainToUnicode pathToFileURL
    fileURLToPath urlToHttpOptions fileURLToPathBuffer URLPattern`),
  util: words(`
    _errnoException _exceptionWithHostPort _extend callbackify debuglog deprecate format getSystemErrorName inherits
    inspect isArray isBoolean isBuffer isNull isNullOrUndefined isNumber isString isSymbol isUndefined isRegExp
    isObject isDate isError isFunction isPrimitive log promisify TextDecoder TextEncoder debug error print puts
    styleText formatWithOptions getSystemErrorMap isDeepStrictEqual stripVTControlCharacters toUSVString
    transferableAbortSignal transferableAbortController aborted types parseEnv parseArgs MIMEType MIMEParams
    getCallSite getCallSites getSystemErrorMessage diff setTraceSigInt convertProcessSignalToExitCode`),
  v8: words(`
    cachedDataVersionTag getHeapStatistics getHeapSpaceStatistics setFlagsFromString Serializer Deserializer
    DefaultSerializer DefaultDeserializer deserialize serialize getHeapSnapshot getHeapCodeStatistics takeCoverage
    stopCoverage writeHeapSnapshot promiseHooks queryObjects startupSnapshot setHeapSnapshotNearHeapLimit
    startupSnapshot.addDeserializeCallback startupSnapshot.addSerializeCallback
    startupSnapshot.setDeserializeMainFunction startupSnapshot.isBuildingSnapshot getCppHeapStatistics
    isStringOneByteRepresentation`),
  vm: words(`
    Script createContext createScript runInDebugContext runInContext runInNewContext runInThisContext isContext
    compileFunction constants`),
  zlib: words('constants codes crc32'),
  diagnostics_channel: words('hasSubscribers unsubscribe'),
  'dns/promises': words('getDefaultResultOrder setDefaultResultOrder setServers getServers'),
  // lchmod is for macOS
  'fs/promises': words('constants lchmod'),
  'readline/promises': words('Readline'),
  'stream/consumers': words('arrayBuffer blob buffer text json bytes'),
  'stream/promises': words('finished'),
  // goes on in promises
  'stream/web': words(`
    ReadableStream ReadableStreamDefaultReader ReadableStreamBYOBReader ReadableStreamBYOBRequest
    ReadableByteStreamController ReadableStreamDefaultController TransformStream TransformStreamDefaultController
    WritableStream WritableStreamDefaultWriter WritableStreamDefaultController ByteLengthQueuingStrategy
    CountQueuingStrategy TextEncoderStream TextDecoderStream ReadableStreamTee`),
  'timers/promises': words('scheduler'),
  trace_events: words('getEnabledCategories'),
  'util/types': words(`
    isExternal isDate isArgumentsObject isBigIntObject isBooleanObject isNumberObject isStringObject isSymbolObject
    isNativeError isRegExp isAsyncFunction isGeneratorFunction isGeneratorObject isPromise isMap isSet isMapIterator
    isSetIterator isWeakMap isWeakSet isArrayBuffer isDataView isSharedArrayBuffer isProxy isModuleNamespaceObject
    isAnyArrayBuffer isBoxedPrimitive isArrayBufferView isTypedArray isUint8Array isUint8ClampedArray isUint16Array
    isUint32Array isInt8Array isInt16Array isInt32Array isFloat32Array isFloat64Array isBigInt64Array
    isBigUint64Array isKeyObject isCryptoKey isFloat16Array`),
  wasi: words('WASI'),
  worker_threads: words(`
    markAsUntransferable receiveMessageOnPort resourceLimits postMessageToThread setEnvironmentData
    getEnvironmentData markAsUncloneable isMarkedAsUntransferable locks locks.query`),
  sea: words('isSea getAsset getRawAsset getAssetAsBlob getAssetKeys'),
  sqlite: words('Session constants StatementSync DatabaseSync'),
  // listens for the events of the process, which is noticed
  test: words(`
    expectFailure skip todo only after afterEach before beforeEach describe getTestContext it run suite test mock
    snapshot assert`),
  'test/reporters': words('dot junit spec tap lcov'),
};

quiet.sys = quiet.util;
quiet['assert/strict'] = quiet.assert;
quiet['path/posix'] = quiet.path;
quiet['path/win32'] = quiet.path;
quiet['inspector/promises'] = quiet.inspector;

module.exports = quiet;
