# Passes a dump of mysqldump --skip-extended-insert on and counts its rows on the way.
#
# Writes to the file `counts` table and rows, one line a table, empty tables too, and to the file
# `heads` (if given) the rows of the tables alembic_version…: what revision the schema is of. Fails
# if the dump has no end. Text in a dump has its line ends escaped, so a line that begins a statement
# is one, except in the bodies of triggers and routines: these stand between two DELIMITERs.

{ print }

/^DELIMITER/ { body = ($2 != ";") }
body { next }

/^CREATE TABLE `/ {
    split($0, part, "`")
    rows[part[2]] += 0
}

/^INSERT INTO `/ {
    split(substr($0, 1, 200), part, "`")
    rows[part[2]]++
    if (++total % 100000 == 0) print total " rows" > "/dev/stderr"
    if (heads && part[2] ~ /^alembic_version/) {
        split($0, value, "'")
        print part[2] "\t" value[2] > heads
    }
}

/^-- Dump completed/ { complete = 1 }

END {
    if (heads) printf "" > heads
    if (!complete) {
        print "the dump has no end: it was cut short" > "/dev/stderr"
        exit 1
    }
    for (table in rows) {
        tables++
        print table "\t" rows[table] > counts
    }
    if (!tables) printf "" > counts
}
