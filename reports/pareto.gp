# pareto.csv: instance,concurrency,boxes,usd,hours,front,marked,label,align
set logscale xy
eval 'set xtics '.HOURS
eval 'set ytics '.DOLLARS
set xlabel 'until a million jobs are done'
set ylabel 'USD per million jobs'
set key off
set xrange [XLO:XHI]
set yrange [YLO:YHI]
plot 'pareto.csv' using 5:($6 == 0 ? $4 : NaN) with points pt 7 ps 0.35 lc rgb GREY, \
     '' using 5:($6 == 1 ? $4 : NaN) with steps lw 1.5 lc rgb BLUE, \
     '' using 5:($6 == 1 ? $4 : NaN) with points pt 7 ps 0.7 lc rgb BLUE, \
     'pareto-named.csv' using 1:2 with points pt 6 ps 1.6 lw 2 lc rgb RED, \
     '' using 1:2:3 every 2 with labels left offset 1.2, 0.8 font SMALL textcolor rgb INK, \
     '' using 1:2:3 every 2::1 with labels left offset 1.2, -0.8 font SMALL textcolor rgb INK
