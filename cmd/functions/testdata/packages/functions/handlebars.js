import Handlebars from 'handlebars';

export async function main(req, res) {
  const template = Handlebars.compile('{{#each names}}<b>{{this}}</b>{{/each}}');
  res.send({ html: template({ names: ['a', '<i>'] }) });
}
