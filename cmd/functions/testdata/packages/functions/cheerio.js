import * as cheerio from 'cheerio';

export async function main(req, res) {
  const $ = cheerio.load('<ul><li class="a">one</li><li>two</li></ul>');
  res.send({ first: $('li.a').text(), count: $('li').length });
}
