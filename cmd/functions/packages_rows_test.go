package main

// packageRow is a package of npm that functions use, by the downloads that npm counts, and a function that calls it:
// testdata/packages/functions has it under the package's name.
type packageRow struct {
	name string
	// does says what the function does with the package; want is its answer where it works.
	does, want string
}

var packageRows = []packageRow{
	{"axios", "GET of JSON", `{"status":200,"data":{"hello":"world","query":"q=a+b"}}`},
	{"got", "GET of JSON", `{"hello":"world","query":"q=a+b"}`},
	{"undici", "GET of JSON", `{"status":200,"data":{"hello":"world","query":"q=a%20b"}}`},
	{"node-fetch", "GET of JSON", `{"status":200,"data":{"hello":"world","query":"q=a%20b"}}`},
	{"graphql-request", "query with variables", `{"hello":"x"}`},
	{"hono", "route with a parameter", `{"status":200,"data":{"hello":"world"}}`},
	{"zod", "parse, coerce, name faults", `{"good":{"id":"a","amount":7},"faults":["id","amount"]}`},
	{"ajv", "compile a schema, validate", `{"good":true,"bad":false,"fault":"must be integer"}`},
	{"joi", "validate, convert", `{"value":{"mail":"a@example.com","age":20},"fault":"\"mail\" must be a valid email"}`},
	{"yup", "validate, convert", `{"value":{"age":3,"name":"a"},"faults":2}`},
	{"valibot", "parse with defaults", `{"good":{"email":"a@example.com","tries":0},"bad":false}`},
	{"dayjs", "add to a date, with the plugin for UTC", `{"next":"2024-02-29 Thursday"}`},
	{"date-fns", "add months, format", `{"end":"2024-02-29","days":29}`},
	{"luxon", "time in another zone", `{"there":"2024-07-01T09:00:00.000-03:00","week":27}`},
	{"moment", "end of a month, duration in words", `{"end":"2024-02-29","ago":"2 hours"}`},
	{"uuid", "v4 and v5", `{"named":"cfbff0d1-9375-5685-968c-48ce8b15ae17","random":true}`},
	{"nanoid", "IDs", `{"length":21,"differ":true,"digits":true}`},
	{"jsonwebtoken", "sign, verify, refuse a forged token", `{"payload":{"sub":"a"},"forged":"invalid signature"}`},
	{"jose", "sign and verify by WebCrypto", `{"payload":{"sub":"a"}}`},
	{"bcryptjs", "hash, compare", `{"good":true,"bad":false}`},
	{"handlebars", "template with a loop and escapes", `{"html":"<b>a</b><b>&lt;i&gt;</b>"}`},
	{"ejs", "template with a loop and escapes", `{"html":"<b>a</b><b>&lt;i&gt;</b>"}`},
	{"marked", "Markdown to HTML", `{"html":"<h1>Title</h1>\n<ul>\n<li><em>one</em></li>\n</ul>\n"}`},
	{"cheerio", "select in HTML", `{"first":"one","count":2}`},
	{"lodash", "groupBy, get", `{"groups":{"3":["one","two"],"5":["three"]},"deep":7}`},
	{"fast-xml-parser", "read and write XML", `{"value":{"a":{"b":2,"@_x":"1"}},"xml":"<a><b>3</b></a>"}`},
	{"csv-parse", "rows with quotes", `[{"a":"1","b":"x,y"}]`},
	{"js-yaml", "read and write YAML", `{"value":{"a":[1,2],"b":{"c":"text"}},"text":"a:\n  - 1\n"}`},
	{"ioredis", "SET and GET in a Redis", `{"kept":"kept"}`},
	{"pg", "connect where nothing listens, quote", `{"code":"ECONNREFUSED","literal":"'it''s'"}`},
	{"mysql2", "connect where nothing listens, quote", `{"code":"ECONNREFUSED","query":"SELECT 'it\\'s'"}`},
	{"mongodb", "connect where nothing listens, BSON", `{"error":"MongoServerSelectionError","value":7}`},
	{"@aws-sdk/client-s3", "GetObject", `{"text":"stored"}`},
	{"@azure/storage-blob", "download of a blob", `{"text":"stored"}`},
	{"@google/genai", "generateContent, with `httpOptions: { fetch }`", `{"text":"Hi"}`},
	{"openai", "chat completion", `{"text":"Hi"}`},
	{"stripe", "retrieve a customer", `{"id":"cus_1"}`},
}

// packageRuntimes are those that the packages are called on, and quickPackages the packages that every run of the tests
// takes; the others come with NIGHTLY=1.
var (
	packageRuntimes = []string{"node8", "node20", "node24"}
	quickPackages   = []string{"dayjs", "uuid", "valibot"}
)
