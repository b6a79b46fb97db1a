import _ from 'lodash';

export async function main(req, res) {
  res.send({ groups: _.groupBy(['one', 'two', 'three'], 'length'), deep: _.get({ a: [{ b: 7 }] }, 'a[0].b') });
}
