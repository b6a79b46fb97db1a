import { XMLBuilder, XMLParser } from 'fast-xml-parser';

export async function main(req, res) {
  const value = new XMLParser({ ignoreAttributes: false }).parse('<a x="1"><b>2</b></a>');
  res.send({ value, xml: new XMLBuilder({}).build({ a: { b: 3 } }) });
}
