# pareto.csv: instance,concurrency,boxes,usd,hours,front,marked,label
set logscale xy
set xlabel 'hours for the run (log)'
set ylabel 'USD per million jobs (log)'
set key off
set xrange [XLO:XHI]
set yrange [YLO:YHI]
plot 'pareto.csv' using 5:($6 == 0 ? $4 : NaN) with points pt 7 ps 0.4 lc rgb GREY, \
     '' using 5:($6 == 1 ? $4 : NaN) with points pt 7 ps 0.7 lc rgb BLUE, \
     '' using 5:($7 == 1 ? $4 : NaN) with points pt 6 ps 1.6 lw 2 lc rgb RED, \
     '' using 5:($7 == 1 ? $4 : NaN):8 with labels left offset 1.2,0.7 textcolor rgb INK
