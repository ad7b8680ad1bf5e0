-- A tree: region, site, terminal. The code is what a location's own page hides behind.
CREATE TABLE locations (
    id TEXT PRIMARY KEY,
    parent_id TEXT REFERENCES locations (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    code TEXT UNIQUE,
    time_zone TEXT,
    country TEXT,
    address TEXT,
    telephone TEXT,
    -- Takings an hour in minor units, for the loss estimate.
    takings_per_hour BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX locations_by_parent ON locations (parent_id);

-- What a location uses: technical services or touchpoints.
CREATE TABLE location_services (
    location_id TEXT NOT NULL REFERENCES locations (id),
    service_type TEXT NOT NULL,
    service_id TEXT NOT NULL,
    PRIMARY KEY (location_id, service_id)
);
CREATE INDEX location_services_by_service ON location_services (service_id);

-- A customer. Value a year is in minor units of the currency.
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT,
    telephone TEXT,
    tier TEXT NOT NULL,
    value_per_year BIGINT NOT NULL,
    currency TEXT NOT NULL,
    language TEXT NOT NULL,
    external_id TEXT,
    location_id TEXT REFERENCES locations (id),
    customer_since BIGINT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX accounts_by_name ON accounts (name);
CREATE INDEX accounts_by_email ON accounts (email);
CREATE INDEX accounts_by_location ON accounts (location_id);

CREATE TABLE account_services (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    service_type TEXT NOT NULL,
    service_id TEXT NOT NULL,
    PRIMARY KEY (account_id, service_id)
);
CREATE INDEX account_services_by_service ON account_services (service_id);
