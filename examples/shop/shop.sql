CREATE TABLE customer (
    id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT UNIQUE, phone TEXT, birth_date DATE
);
CREATE TABLE purchase (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, placed_on DATE NOT NULL, delivery_street TEXT, note TEXT
);
CREATE TABLE login (
    id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer (id), ip_address TEXT, at TIMESTAMP NOT NULL
);
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO customer VALUES
    (1, 'Ann', 'Example', 'ann@example.org', '+44 1632 960001', '1980-02-29'),
    (2, 'Ben', 'Example', 'ben@example.org', '+44 1632 960002', '1985-06-30'),
    (3, 'Chloe', 'Example', 'chloe@example.org', '+44 1632 960003', '1990-12-24');
INSERT INTO purchase VALUES
    (11, 1, '2026-10-01', '1 Example Street', 'leave it with ben@example.org'),
    (12, 1, '2026-10-05', '1 Example Street', NULL),
    (13, 2, '2026-10-09', '2 Example Street', NULL),
    (14, 3, '2026-10-12', '3 Example Street', NULL);
INSERT INTO login VALUES (21, 1, '203.0.113.7', '2024-01-01 09:00:00'), (22, 2, '203.0.113.8', '2024-01-02 09:00:00');
INSERT INTO product VALUES (1, 'Lamp');
