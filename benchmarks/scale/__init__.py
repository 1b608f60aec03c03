"""How the core grows: with the calls of one data set, with the number of data sets, and how varied rehearsal stays."""
