import mysql from 'mysql2/promise';

export async function main(req, res) {
  const error = await mysql.createConnection({ host: '127.0.0.1', port: req.body.closed, user: 'u' }).catch(fault => fault);
  res.send({ code: error.code, query: mysql.format('SELECT ?', ["it's"]) });
}
