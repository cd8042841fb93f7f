//! Databases, set to be durable after each transaction.

use fjall::{Keyspace, KeyspaceCreateOptions, PersistMode};
use redb::{ReadableDatabase, TableDefinition};
use rusqlite::{Connection, params};

use super::{Contender, Entries, Files};
use crate::store::workload::Result;

pub(super) const REDB: Contender = Contender {
    name: "redb",
    transactions: true,
    create: |folder| Ok(Box::new(Redb(redb::Database::create(folder.join("store.redb"))?))),
};

pub(super) const SQLITE: Contender = Contender {
    name: "SQLite, write-ahead log, synchronous full",
    transactions: true,
    create: |folder| {
        let connection = Connection::open(folder.join("store.sqlite"))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute(
            "CREATE TABLE store (key INTEGER PRIMARY KEY, value BLOB NOT NULL)",
            [],
        )?;
        Ok(Box::new(Sqlite(connection)))
    },
};

pub(super) const FJALL: Contender = Contender {
    name: "fjall, data synchronised",
    transactions: true,
    create: |folder| {
        let database = fjall::Database::builder(folder).open()?;
        let keys = database.keyspace("store", KeyspaceCreateOptions::default)?;
        Ok(Box::new(Fjall { database, keys }))
    },
};

struct Redb(redb::Database);

const TABLE: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("store");

impl Files for Redb {
    fn put(&mut self, entries: &Entries) -> Result<()> {
        let transaction = self.0.begin_write()?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for (key, value) in entries {
                table.insert(u32::from(*key), value.as_slice())?;
            }
        }
        Ok(transaction.commit()?)
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let table = self.0.begin_read()?.open_table(TABLE)?;
        let value = redb::ReadableTable::get(&table, u32::from(key))?;
        Ok(value.ok_or("no value")?.value().to_vec())
    }
}

struct Sqlite(Connection);

impl Files for Sqlite {
    fn put(&mut self, entries: &Entries) -> Result<()> {
        let transaction = self.0.transaction()?;
        for (key, value) in entries {
            let statement = "INSERT OR REPLACE INTO store (key, value) VALUES (?1, ?2)";
            transaction.execute(statement, params![key, value])?;
        }
        Ok(transaction.commit()?)
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let statement = "SELECT value FROM store WHERE key = ?1";
        Ok(self.0.query_row(statement, params![key], |row| row.get(0))?)
    }
}

struct Fjall {
    database: fjall::Database,
    keys: Keyspace,
}

impl Files for Fjall {
    fn put(&mut self, entries: &Entries) -> Result<()> {
        let mut batch = self.database.batch();
        for (key, value) in entries {
            batch.insert(&self.keys, u32::from(*key).to_be_bytes(), value.as_slice());
        }
        batch.commit()?;
        Ok(self.database.persist(PersistMode::SyncData)?)
    }

    fn get(&mut self, key: u16) -> Result<Vec<u8>> {
        let value = self.keys.get(u32::from(key).to_be_bytes())?;
        Ok(value.ok_or("no value")?.to_vec())
    }
}
