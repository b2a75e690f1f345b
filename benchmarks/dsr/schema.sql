-- A shop of ten tables: 26 rows for each of :people customers. Made on the server, the same each time.
CREATE TABLE customer (id int, email text, given text, family text, phone text, born date, since timestamptz);
INSERT INTO customer
SELECT g, 'c' || g || '@example.org', 'Given' || g % 4999, 'Family' || g % 19997, '+44 7700 ' || lpad((900000 + g % 1000)::text, 6, '0'),
       date '1948-03-01' + g % 19000, timestamptz '2020-01-01' + (g % 2100) * interval '1 day'
FROM generate_series(1, :people) g;
CREATE TABLE address (id int, customer_id int, street text, town text, postcode text, country text);
INSERT INTO address
SELECT g, (g - 1) % :people + 1, g % 9973 || ' Example Street', 'Exampleton ' || g % 887, 'EX' || g % 99 || ' ' || g % 9 || 'EX', 'GB'
FROM generate_series(1, 2 * :people) g;
CREATE TABLE payment_method (id int, customer_id int, holder text, last4 text, token text);
INSERT INTO payment_method
SELECT g, g, 'Holder ' || g, lpad((g % 10000)::text, 4, '0'), 'tok_' || md5(g::text) FROM generate_series(1, :people) g;
CREATE TABLE orders (id int, customer_id int, address_id int, note text, total numeric(10, 2), placed timestamptz);
INSERT INTO orders
SELECT g, (g - 1) % :people + 1, (g - 1) % (2 * :people) + 1, 'Ring twice ' || g % 307, (g % 49999)::numeric / 100,
       timestamptz '2021-01-01' + (g % 1500) * interval '1 day'
FROM generate_series(1, 4 * :people) g;
CREATE TABLE order_item (id int, order_id int, product_id int, quantity int, engraving text);
INSERT INTO order_item
SELECT g, (g - 1) % (4 * :people) + 1, g % 4001, 1 + g % 4, CASE WHEN g % 10 = 0 THEN 'For number ' || g END
FROM generate_series(1, 6 * :people) g;
CREATE TABLE payment (id int, order_id int, payment_method_id int, amount numeric(10, 2), billed_to text);
INSERT INTO payment
SELECT g, g, (g - 1) % :people + 1, (g % 49999)::numeric / 100, 'Holder ' || g FROM generate_series(1, 4 * :people) g;
CREATE TABLE ticket (id int, customer_id int, subject text, opened timestamptz);
INSERT INTO ticket
SELECT g, g, 'About number ' || g, timestamptz '2024-01-01' + (g % 900) * interval '1 day' FROM generate_series(1, :people / 2) g;
CREATE TABLE message (id int, ticket_id int, sender text, body text);
INSERT INTO message
SELECT g, (g - 1) % (:people / 2) + 1, 'c' || (g - 1) % (:people / 2) + 1 || '@example.org', repeat('Where is my parcel? ', 10) || g
FROM generate_series(1, 2 * :people) g;
CREATE TABLE subscriber (id int, email text, name text, topic text);
INSERT INTO subscriber
SELECT g, 'c' || g || '@example.org', 'Given' || g % 4999, 'weekly' FROM generate_series(1, 3 * :people / 4) g;
CREATE TABLE login (id bigint, customer_id int, ip text, browser text, at timestamptz);
INSERT INTO login
SELECT g, (g - 1) % :people + 1, '192.0.2.' || g % 251, 'Browser ' || g % 89, timestamptz '2026-01-01' + (g % 7000) * interval '1 hour'
FROM generate_series(1, 5 * :people) g;

ALTER TABLE customer ADD PRIMARY KEY (id), ALTER email SET NOT NULL, ADD UNIQUE (email);
ALTER TABLE address ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customer;
ALTER TABLE payment_method ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customer;
ALTER TABLE orders ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customer, ADD FOREIGN KEY (address_id) REFERENCES address;
ALTER TABLE order_item ADD PRIMARY KEY (id), ADD FOREIGN KEY (order_id) REFERENCES orders;
ALTER TABLE payment ADD PRIMARY KEY (id), ADD FOREIGN KEY (order_id) REFERENCES orders, ADD FOREIGN KEY (payment_method_id) REFERENCES payment_method;
ALTER TABLE ticket ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customer;
ALTER TABLE message ADD PRIMARY KEY (id), ADD FOREIGN KEY (ticket_id) REFERENCES ticket;
ALTER TABLE subscriber ADD PRIMARY KEY (id);
ALTER TABLE login ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customer;
CREATE INDEX ON address (customer_id);
CREATE INDEX ON payment_method (customer_id);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON orders (address_id);
CREATE INDEX ON order_item (order_id);
CREATE INDEX ON payment (order_id);
CREATE INDEX ON payment (payment_method_id);
CREATE INDEX ON ticket (customer_id);
CREATE INDEX ON message (ticket_id);
CREATE INDEX ON message (sender);
CREATE INDEX ON subscriber (email);
CREATE INDEX ON login (customer_id);
VACUUM ANALYZE;
