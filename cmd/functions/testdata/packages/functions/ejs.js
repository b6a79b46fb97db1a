import ejs from 'ejs';

export async function main(req, res) {
  res.send({ html: ejs.render('<% for (const n of names) { %><b><%= n %></b><% } %>', { names: ['a', '<i>'] }) });
}
